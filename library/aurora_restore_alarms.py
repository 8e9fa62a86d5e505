# Why not amazon.aws.cloudwatch_metric_alarm: an alarm a call, no diff, changed in every check mode, and nothing that removes
# the alarms of functions that are gone.
"""Documentation and argument specification of aurora_restore_alarms; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_alarms
short_description: Converge the alarms of the pipeline
description:
  - Four alarms on the executions, three on each function. Alarms of ours that are no longer declared are
    removed.
  - The connection is taken from the variables C(region), C(aws_profile) and C(aws_config_file).
options:
  name_prefix:
    description: What every name begins with; also the value of the Project tag by which our resources are known.
    type: str
    required: true
  state_machine_arn:
    description: ARN of the state machine.
    type: str
    required: true
  functions:
    description: The functions.
    type: list
    elements: dict
    required: true
    suboptions:
      step:
        description: Step; the function is called O(name_prefix)-step.
        type: str
        required: true
      timeout:
        description: Its timeout in seconds.
        type: int
        required: true
  actions:
    description: ARNs told when an alarm goes off.
    type: list
    elements: str
    required: true
  duration_percent:
    description: Share of its timeout at which a function counts as slow.
    type: int
    default: 80
  period:
    description: Seconds of one data point.
    type: int
    default: 300
  evaluation_periods:
    description: Data points in a row that raise an alarm.
    type: int
    default: 1
  tags:
    description: All tags of the alarms; others are removed.
    type: dict
    default: {}
  state:
    description: Whether the alarms exist.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Announces exactly what a run would do.
    support: full
  diff_mode:
    description: Before and after of every declared attribute.
    support: full
author: Aurora Restore Pipeline
"""

EXAMPLES = r"""
- name: Ensure the alarms exist
  aurora_restore_alarms:
    name_prefix: aurora-restore
    state_machine_arn: arn:aws:states:eu-west-1:123456789012:stateMachine:aurora-restore-state-machine
    functions: [{step: snapshot-check, timeout: 300}]
    actions: [arn:aws:sns:eu-west-1:123456789012:aurora-restore-notifications]
"""

RETURN = r"""
items:
  description: One entry for each item, also for those that need nothing.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the item.
      type: str
    action:
      description: What was done, or would be done in check mode; one of none, create, update, delete.
      type: str
    changes:
      description: Before and after of each attribute that changes, by name.
      type: dict
"""

# No collection has a module for CloudWatch dashboards.
"""Documentation and argument specification of aurora_restore_dashboard; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_dashboard
short_description: Converge the CloudWatch dashboard of the pipeline
description:
  - Shows executions, functions and alarms; the body is compared as JSON.
  - The connection is taken from the variables C(region), C(aws_profile) and C(aws_config_file).
options:
  name:
    description: Name of the dashboard.
    type: str
    required: true
  name_prefix:
    description: What every name begins with; also the value of the Project tag by which our resources are known.
    type: str
    required: true
  state_machine_arn:
    description: ARN of the state machine.
    type: str
    required: true
  steps:
    description: Steps of the pipeline.
    type: list
    elements: str
    required: true
  alarm_arns:
    description: ARNs of the alarms to show; at most 100.
    type: list
    elements: str
    default: []
  state:
    description: Whether the dashboard exists.
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
- name: Ensure the dashboard exists
  aurora_restore_dashboard:
    name: aurora-restore
    name_prefix: aurora-restore
    state_machine_arn: arn:aws:states:eu-west-1:123456789012:stateMachine:aurora-restore-state-machine
    steps: [snapshot-check]
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

# Why not community.aws.stepfunctions_state_machine: it compares bytes, validates nothing, and knows no logging, tracing,
# encryption, versions or aliases.
"""Documentation and argument specification of aurora_restore_state_machine; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_state_machine
short_description: Converge the Step Functions state machine
description:
  - Substitutes placeholders in plain ASL, checks the definition here and at AWS before anything changes,
    compares it by meaning.
  - Every change is published as a version and the alias moves to it.
  - The connection is taken from the variables C(region), C(aws_profile) and C(aws_config_file).
options:
  name:
    description: Name of the state machine.
    type: str
    required: true
  account_id:
    description: Account that the ARNs name.
    type: str
    required: true
  definition:
    description: Path of the ASL file.
    type: str
    required: true
  values:
    description: >-
      Values of the file's C(${Name}) placeholders. A string that is one placeholder takes the value's type.
    type: dict
    default: {}
  role:
    description: ARN of the execution role.
    type: str
    required: true
  log_group:
    description: Log group of the executions.
    type: str
    required: true
  log_level:
    description: Which events are logged.
    type: str
    choices: [ALL, ERROR, FATAL, OFF]
    default: ALL
  log_execution_data:
    description: Whether input and output are logged.
    type: bool
    default: false
  tracing:
    description: Whether X-Ray traces the executions.
    type: bool
    default: true
  kms_key:
    description: Alias, id or ARN of the customer key. Not needed to remove.
    type: str
    default: ""
  alias:
    description: Name of the alias that callers use.
    type: str
    default: live
  keep_versions:
    description: How many published versions stay; the one that the alias runs always does.
    type: int
    default: 5
  tags:
    description: Tags of the state machine; those that others gave it stay.
    type: dict
    default: {}
  state:
    description: Whether the state machine exists.
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
- name: Ensure the state machine exists
  aurora_restore_state_machine:
    name: aurora-restore-state-machine
    account_id: "123456789012"
    definition: state_machine/aurora_restore.asl.json
    values: {MaxRetries: 3}
    role: arn:aws:iam::123456789012:role/aurora-restore-step-functions-role
    log_group: /aws/vendedlogs/states/aurora-restore-state-machine
    kms_key: alias/aurora-restore
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

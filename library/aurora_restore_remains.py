# No stock module names resources by a tag of ours or looks for running executions.
"""Documentation and argument specification of aurora_restore_remains; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_remains
short_description: Name what the removal of a deployment leaves, and refuse it while a restore runs
description:
  - Prints the clusters and snapshots that restores made, and the customer key with the date AWS deletes it.
  - The connection is taken from the variables O(ignore:region), O(ignore:aws_profile) and O(ignore:aws_config_file).
options:
  name_prefix:
    description: Prefix of the deployment.
    type: str
    required: true
  key_alias:
    description: Alias of the deployment's customer key.
    type: str
    required: true
  state_machine_arn:
    description: ARN of the pipeline's state machine.
    type: str
    required: true
  require_idle:
    description: Whether to fail while an execution runs.
    type: bool
    default: false
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
author: Aurora Restore Pipeline
"""

EXAMPLES = r"""
- name: Ensure no restore is running
  aurora_restore_remains:
    name_prefix: aurora-restore
    key_alias: alias/aurora-restore
    state_machine_arn: arn:aws:states:us-east-1:123456789012:stateMachine:aurora-restore-state-machine
    require_idle: true
"""

RETURN = r"""
remains:
  description: One line about each thing that stays.
  returned: success
  type: list
  elements: str
"""

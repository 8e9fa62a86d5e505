# No stock module reads items of a DynamoDB table or an execution's history.
"""Documentation and argument specification of aurora_restore_operation; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_operation
short_description: Show what is known about restore operations
description:
  - Prints an operation's execution, state item, lock and audit timeline, or one line about each of the latest operations.
  - The connection is taken from the variables O(ignore:region), O(ignore:aws_profile) and O(ignore:aws_config_file).
options:
  operation:
    description: The operation to show.
    type: str
    default: ""
  target:
    description: Without O(operation), the target whose newest operation is shown.
    type: str
    default: ""
  latest:
    description: With neither, how many of the latest operations are listed.
    type: int
    default: 10
  state_machine_arn:
    description: ARN of the pipeline's state machine.
    type: str
    required: true
  state_table:
    description: Name of the state table.
    type: str
    required: true
  audit_table:
    description: Name of the audit table.
    type: str
    required: true
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
- name: Show the newest operation of a target
  aurora_restore_operation:
    target: orders-staging
    state_machine_arn: arn:aws:states:us-east-1:123456789012:stateMachine:aurora-restore-state-machine
    state_table: aurora-restore-state
    audit_table: aurora-restore-audit
"""

RETURN = r"""
operations:
  description: The operations shown, newest first.
  returned: success
  type: list
  elements: dict
  contains:
    operation:
      description: The operation's id.
      type: str
    status:
      description: Status of the execution; empty where AWS no longer keeps it.
      type: str
    target:
      description: The cluster it restores.
      type: str
    events:
      description: The audit trail; only where one operation is shown.
      type: list
      elements: dict
"""

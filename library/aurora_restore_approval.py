# No stock module answers a task of Step Functions that waits for a callback.
"""Documentation and argument specification of aurora_restore_approval; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_approval
short_description: Approve or reject a restore that waits for it
description:
  - Answers an operation that waits in C(RequestApproval), in the name of the caller (C(sts:GetCallerIdentity)), and
    records decision, caller and reason in the operation's item and in the audit trail.
  - The connection is taken from the variables O(ignore:region), O(ignore:aws_profile) and O(ignore:aws_config_file).
options:
  operation:
    description: The operation that waits.
    type: str
    default: ""
  decision:
    description: What is decided. A rejected operation ends FAILED, having changed nothing.
    type: str
    choices: [approve, reject]
    required: true
  reason:
    description: Why. It stands in the audit trail, and of a rejection in the execution's cause.
    type: str
    default: ""
  state_table:
    description: Name of the state table.
    type: str
    required: true
  audit_table:
    description: Name of the audit table.
    type: str
    required: true
  audit_ttl_days:
    description: Days after which the audit records of the decision may be removed.
    type: int
    required: true
attributes:
  check_mode:
    description: Says whether the decision would be taken; takes none.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
author: Aurora Restore Pipeline
"""

EXAMPLES = r"""
- name: Ensure the restore is approved
  aurora_restore_approval:
    operation: 20261123-071450-x7k2
    decision: approve
    reason: release 7 needs fresh data
    state_table: aurora-restore-state
    audit_table: aurora-restore-audit
    audit_ttl_days: 90
"""

RETURN = r"""
operation:
  description: The operation's id.
  returned: success
  type: str
decided_by:
  description: ARN of the caller.
  returned: success
  type: str
msg:
  description: The decision in one sentence.
  returned: always
  type: str
"""

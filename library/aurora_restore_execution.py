# No stock module follows an execution or shows its progress: community.aws.stepfunctions_state_machine_execution starts
# and stops one and returns at once.
"""Documentation and argument specification of aurora_restore_execution; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_execution
short_description: Start, follow, stop, resume or roll back a restore
description:
  - C(started) builds the request from what the inventory declares for a target and the operator's overrides, checks it
    against the pipeline's own schema and starts the state machine with it, once per operation.
  - C(resumed) starts another execution under the same operation, which skips what is done.
  - C(rolled_back) starts an operation of its own that gives the target its old cluster back.
  - C(followed) prints what the execution does while it does it, and ends as the execution ends.
  - C(stopped) stops the execution and follows the pipeline's clean-up, which AWS does not do for a stopped execution.
  - The connection is taken from the variables O(ignore:region), O(ignore:aws_profile) and O(ignore:aws_config_file).
options:
  state:
    description: What to do.
    type: str
    choices: [started, resumed, rolled_back, followed, stopped]
    required: true
  state_machine_arn:
    description: ARN of the pipeline's state machine.
    type: str
    required: true
  alias:
    description: Alias of the state machine and of its functions.
    type: str
    default: live
  operation:
    description:
      - The operation. Made where O(state=started) is given none; required otherwise.
      - With O(state=rolled_back) the restore to roll back.
    type: str
    default: ""
  targets:
    description: The targets that the inventory declares, by name; each is a request.
    type: dict
    default: {}
  target:
    description: Which of O(targets) to restore.
    type: str
    default: ""
  request:
    description: What goes over the target's declaration, in the form of a request.
    type: dict
    default: {}
  source_snapshot:
    description: Restore from this snapshot (identifier or ARN) instead of the declared source.
    type: str
    default: ""
  source_date:
    description: Restore from the newest snapshot of this UTC date, C(YYYY-MM-DD), of the declared cluster.
    type: str
    default: ""
  source_time:
    description: Restore the declared cluster as it was at this UTC time, C(YYYY-MM-DDTHH:MM:SSZ).
    type: str
    default: ""
  source_type:
    description:
      - Restore the declared cluster in another way, for example V(latest_restorable_time) or V(clone).
      - At most one of O(source_snapshot), O(source_date), O(source_time) and O(source_type) may be given.
    type: str
    default: ""
  source_max_age_hours:
    description: Refuse a source whose data is older.
    type: float
  dry_run:
    description: Plan only. Left out, the declaration decides.
    type: bool
  prices:
    description: USD per hour by instance class, over the table that comes with the pipeline; for the plan of a dry run.
    type: dict
    default: {}
  state_table:
    description: Name of the state table, for O(state=stopped) and O(state=resumed).
    type: str
    default: ""
  pause:
    description: With O(state=stopped), whether to leave everything as it is, so that it can be resumed.
    type: bool
    default: false
  cause:
    description: Why the operation is stopped; it stands in the execution and in the audit trail.
    type: str
    default: stopped by an operator
  look_at:
    description: Where an operator finds more about a failure; the last line of its message.
    type: str
    default: ""
attributes:
  check_mode:
    description: Validates and says what would be started or stopped; starts and stops nothing.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
author: Aurora Restore Pipeline
"""

EXAMPLES = r"""
- name: Ensure the restore is started
  aurora_restore_execution:
    state: started
    state_machine_arn: arn:aws:states:us-east-1:123456789012:stateMachine:aurora-restore-state-machine
    targets: "{{ restore_targets }}"
    target: orders-staging
  register: restore

- name: Ensure the restore succeeds
  aurora_restore_execution:
    state: followed
    state_machine_arn: arn:aws:states:us-east-1:123456789012:stateMachine:aurora-restore-state-machine
    operation: "{{ restore.operation }}"
"""

RETURN = r"""
operation:
  description: What to follow; with O(state=rolled_back) the rollback's id, with O(state=resumed) the execution's name.
  returned: success
  type: str
execution_arn:
  description: ARN of the execution.
  returned: success
  type: str
request:
  description: The request.
  returned: O(state=started) and O(state=rolled_back)
  type: dict
status:
  description: How the execution ended; one of SUCCEEDED, FAILED, TIMED_OUT, ABORTED.
  returned: O(state=followed) and O(state=stopped)
  type: str
seconds:
  description: How long the execution ran.
  returned: O(state=followed)
  type: float
document:
  description: The execution's last document, with the result of each step under its key.
  returned: O(state=followed) that succeeded, and O(state=stopped)
  type: dict
mistakes:
  description: What is wrong with the request, one entry a mistake, each with its path.
  returned: when the request is not valid
  type: list
  elements: str
"""

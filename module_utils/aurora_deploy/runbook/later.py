"""Later executions for an operation that has a record: the one that cleans up, the one that resumes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from aurora_deploy.clients import Aws
from aurora_deploy.errors import DeployError, is_code
from aurora_deploy.runbook.execution import StateMachine, describe
from aurora_deploy.runbook.tables import state_item

_MOST = 100


@dataclasses.dataclass(frozen=True)
class Recorded:
    """An operation as the state table has it: `attempt` counts its executions, `state` is its journal."""

    operation: str
    status: str
    execution_arn: str
    attempt: int
    state: Mapping[str, Any]


def recorded(aws: Aws, state_table: str, operation: str) -> Recorded | None:
    """Return the record of an operation; None where nothing was begun."""
    item = state_item(aws, state_table, operation)
    facts = (item or {}).get("state", {}).get("operation")
    if not item or not facts:
        return None
    attempt = int(facts.get("attempt", 1))
    return Recorded(operation, item["status"], facts["execution_id"], attempt, item["state"])


def start_later(aws: Aws, machine: StateMachine, record: Recorded, purpose: str, document: Mapping[str, Any]) -> str:
    """Start `<operation>-<purpose>-<n>`; returns its name, or that of the one that runs already.

    The sweep names clean-ups in the same way, so that of the two only one starts. A name whose execution has ended
    before it could take the operation over is used up.
    """
    for number in range(record.attempt, record.attempt + _MOST):
        name = f"{record.operation}-{purpose}-{number}"
        try:
            aws.client("stepfunctions").start_execution(
                stateMachineArn=machine.qualified, name=name, input=json.dumps(document, sort_keys=True)
            )
        except Exception as error:
            if not is_code(error, "ExecutionAlreadyExists"):
                raise
            if (describe(aws, machine.execution_arn(name)) or {}).get("status") != "RUNNING":
                continue
        return name
    raise DeployError(f"{_MOST} executions of {record.operation} could not begin. Fix: look at them in Step Functions")


def resume(aws: Aws, machine: StateMachine, state_table: str, operation: str, *, check: bool) -> str:
    """Start the execution that resumes an operation; returns its name, in check mode the one it would have.

    :raises DeployError: nothing was begun, so there is nothing to go on with. Whether the rest can be resumed is
        decided by the pipeline itself.
    """
    record = recorded(aws, state_table, operation)
    if record is None:
        raise DeployError(
            f"there is no record of operation {operation}: nothing was begun. Fix: start it with playbooks/restore.yml"
        )
    if check:
        return f"{operation}-resume-{record.attempt}"
    return start_later(aws, machine, record, "resume", {"action": "resume", "operation_id": operation})

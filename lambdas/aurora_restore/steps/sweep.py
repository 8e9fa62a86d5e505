"""Sweep: operations whose execution ended without a clean-up, and clusters whose time is over.

Called by EventBridge, when an execution fails, times out or is stopped, and on a schedule. An event is only a reason to
look now: it may be late, doubled or missing, so nothing is taken from it, and every look finds all there is to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aurora_restore.context import Context
from aurora_restore.errors import RestoreError
from aurora_restore.steps.expiry import expired_clusters, remove_expired
from aurora_restore.store import Operation, resource_key
from aurora_restore.taking_over import PAUSED, Way

MOST_ATTEMPTS = 10  # a clean-up that failed so often needs somebody, not another try

T = TypeVar("T")


def run(context: Context, _event: Mapping[str, Any]) -> dict[str, Any]:
    """Start what cleans up, and take the next step of every removal. Raises the first error once all were tried."""
    errors: list[RestoreError] = []
    started = _each(context, context.store.running(), _clean_up, errors)
    removed = _each(context, expired_clusters(context), remove_expired, errors)
    context.logger.info("swept", extra={"started": started, "removed": removed, "errors": len(errors)})
    if errors:
        raise errors[0]
    return {"started": started, "removed": removed}


def _each(
    context: Context, things: list[T], work: Callable[[Context, T], str], errors: list[RestoreError]
) -> list[str]:
    """What was done to each; one that fails keeps no other from its turn."""
    done = []
    for thing in things:
        try:
            done.append(work(context, thing))
        except RestoreError as error:
            context.logger.error("not swept", extra={"error": type(error).__name__, "reason": error.message})
            errors.append(error)
    return [name for name in done if name]


def _clean_up(context: Context, operation: Operation) -> str:
    """Start the execution that cleans up; its name, or nothing where there is nothing to do.

    The name follows from the operation and how many executions it had: doubled events start it once. One that ended
    before it could take the operation over, because the lock was held, has used its name up.
    """
    found = context.executions.find(operation.execution_id)
    if found and (found.running or (found.error == PAUSED and _lease_runs(context, operation))):
        return ""
    machine = found.machine_arn if found else _machine_of(operation.execution_id)
    document = {"action": Way.CLEAN_UP.value, "operation_id": operation.operation_id}
    for number in range(operation.attempt, MOST_ATTEMPTS):
        name = f"{operation.operation_id}-cleanup-{number}"
        if context.executions.start(machine, name, document):
            return name
        other = context.executions.find(f"{operation.execution_id.rsplit(':', 1)[0]}:{name}")
        if other and other.running:
            return ""
    context.logger.error("given up", extra={"operation": operation.operation_id, "attempts": operation.attempt})
    return ""


def _lease_runs(context: Context, operation: Operation) -> bool:
    """Whether a paused operation may still be resumed: its lock keeps the target for it."""
    target = operation.plan["target"]
    lock = context.store.holder(resource_key(target["region"], target["cluster"]))
    return lock is not None and lock.owner == operation.operation_id and lock.lease_until > context.now()


def _machine_of(execution_id: str) -> str:
    """The state machine of an execution that AWS has forgotten, by the form of their ARNs."""
    return execution_id.replace(":execution:", ":stateMachine:").rsplit(":", 1)[0]

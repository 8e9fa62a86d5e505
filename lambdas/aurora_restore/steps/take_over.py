"""TakeOver: make this execution the one that works for an operation whose earlier execution has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore import document as documents
from aurora_restore.aws.executions import Described
from aurora_restore.context import Context
from aurora_restore.errors import OperationExists
from aurora_restore.planning.deadlines import operation_end
from aurora_restore.polling import SHORTEST
from aurora_restore.steps.acquire_lock import TAKE_OVER_SECONDS
from aurora_restore.store import Operation, resource_key
from aurora_restore.taking_over import Decision, Way, decide_clean_up, decide_resume

ABORTED = "OperationAborted"


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """`way`, with `error` for a clean-up or `request` to resume; `done: false` while a function still works.

    Raises NotResumable, LockHeld, or OperationExists where another execution was quicker.
    """
    operation_id, me = documents.operation_id(document), documents.execution_id(document)
    operation = context.store.read(operation_id)
    if operation and operation.execution_id == me:  # an attempt that died after the take-over
        return dict(operation.entry("operation")["taken"])
    earlier = context.executions.find(operation.execution_id) if operation else None
    decide = decide_clean_up if document["request"]["action"] == Way.CLEAN_UP else decide_resume
    decision = decide(operation, still_running=earlier is not None and earlier.running)
    if decision.way is Way.NOTHING or operation is None:
        return {"way": Way.NOTHING.value, "status": decision.reason, "done": True, "wait_seconds": 0}
    busy = _still_works(context, operation) if earlier else ""
    if busy:
        return {"way": decision.way.value, "status": busy, "done": False, "wait_seconds": SHORTEST}
    return _take(context, document, operation, earlier, decision)


def _still_works(context: Context, operation: Operation) -> str:
    """What may still be changing something: a function outlives its execution, until it answers or its time is over."""
    flying = context.executions.in_flight(operation.execution_id)
    if flying is None or context.now() > flying.since.timestamp() + context.settings.lambda_timeout_seconds:
        return ""
    if context.store.has_ended(operation.operation_id, flying.state, flying.since):
        return ""
    return f"{flying.state} may still be working"


def _take(
    context: Context,
    document: Mapping[str, Any],
    operation: Operation,
    earlier: Described | None,
    decision: Decision,
) -> dict[str, Any]:
    facts, target = operation.entry("operation"), operation.plan["target"]
    started_at = document["execution"]["started_at"]
    lease_until = operation_end(context.settings, started_at) + TAKE_OVER_SECONDS
    resource = resource_key(target["region"], target["cluster"])
    context.store.acquire(resource, operation.operation_id, lease_until, context.now())
    taken: dict[str, Any] = {"way": decision.way.value, "status": decision.reason, "done": True, "wait_seconds": 0}
    if decision.way is Way.CLEAN_UP:
        taken["error"] = _error(earlier)
    else:
        taken["request"] = {**facts["request"], "operation_id": operation.operation_id}
    kept = {key: facts[key] for key in facts if key != "plan" or decision.way is not Way.OVER}
    mine = {
        **kept,
        "execution_id": documents.execution_id(document),
        "started_at": started_at,
        "attempt": operation.attempt + 1,
        "taken": taken,
    }
    if not context.store.take_over(operation, mine, keep=decision.way is not Way.OVER):
        raise OperationExists(f"Another execution took operation {operation.operation_id} over at the same moment.")
    return taken


def _error(earlier: Described | None) -> dict[str, str]:
    """How the earlier execution ended, in the form of what a Catch gives."""
    if earlier is None:
        return {"Error": ABORTED, "Cause": "AWS no longer knows the execution."}
    return {"Error": earlier.error or earlier.status, "Cause": earlier.cause}

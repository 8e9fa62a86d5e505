"""AcquireLock: one operation per target, and one execution per operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore import document as documents
from aurora_restore.context import Context
from aurora_restore.planning.deadlines import approval_seconds, operation_end
from aurora_restore.store import resource_key
from aurora_restore.swapping import journalled

TAKE_OVER_SECONDS = 1800  # after an execution that AWS ended, nobody else may touch the target before its clean-up


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Take the lock until the execution must have ended, then register the operation.

    `resume_at` is `swap` where an earlier execution has already begun to move names: what came before is not looked at
    again, because nothing bears its old name any more.

    In this order: an operation that is refused the lock leaves no record that a later one would have to respect. Raises
    LockHeld or OperationExists.
    """
    plan = document["plan"]
    operation_id = plan["operation_id"]
    end = operation_end(context.settings, document["execution"]["started_at"], approval_seconds(plan))
    lease_until = end + TAKE_OVER_SECONDS
    facts = {
        "execution_id": documents.execution_id(document),
        "target": plan["target"]["cluster"],
        "source": plan["source"]["text"],
        "plan": plan,
        "request": document["request"],
        "started_at": document["execution"]["started_at"],
    }
    resource = resource_key(plan["target"]["region"], plan["target"]["cluster"])
    existing = context.store.read(operation_id)
    if existing is not None:
        # An operation_id used before must not take over the lock that its first execution may hold.
        context.store.begin(operation_id, facts)
    lock = context.store.acquire(resource, operation_id, lease_until, context.now())
    context.store.begin(operation_id, facts)
    if existing is not None and not existing.plan:  # it starts over, with a new plan
        context.store.journal(operation_id, "operation", {**existing.entry("operation"), **facts})
    moves, _ = journalled(existing)
    return {
        "owner": lock.owner,
        "token": lock.token,
        "lease_until": lock.lease_until,
        "resume_at": "swap" if moves else "start",
    }

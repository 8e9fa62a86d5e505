"""CheckRollback: read-only. Proves that a restore can be rolled back, and returns the plan of the rollback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore import document as documents
from aurora_restore import identifiers
from aurora_restore.context import Context
from aurora_restore.errors import InvalidRequest
from aurora_restore.planning import guards, rollback
from aurora_restore.planning.resuming import resumed_plan


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """The plan. `request` is `{action: rollback, rolls_back: <operation>, operation_id: <of the rollback itself>}`."""
    recorded = resumed_plan(context, document)
    if recorded:
        return recorded
    request = document["request"]
    rolled_back = request.get("rolls_back")
    if not isinstance(rolled_back, str) or not identifiers.is_operation_id(rolled_back):
        raise InvalidRequest("rolls_back: must be the id of the operation to roll back.")
    operation_id = guards.require_operation_id(request.get("operation_id"), documents.execution_name(document))
    guards.require_account(context.settings, context.identity.account_id())
    operation = context.store.read(rolled_back)
    return rollback.plan_rollback(context, operation_id, rolled_back, document["execution"]["started_at"], operation)

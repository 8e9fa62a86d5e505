"""ReleaseLock: the target is free, the operation a success."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.context import Context
from aurora_restore.store import Status, resource_key


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Mark the operation SUCCEEDED and free its lock, if it still holds it."""
    plan = document["plan"]
    context.store.set_status(plan["operation_id"], Status.SUCCEEDED)
    resource = resource_key(plan["target"]["region"], plan["target"]["cluster"])
    return {"released": context.store.release(resource, plan["operation_id"])}

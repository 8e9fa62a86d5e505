"""The plan of an operation that goes on in another execution: the recorded one, with time of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore import document as documents
from aurora_restore.context import Context
from aurora_restore.planning.deadlines import approval_seconds, deadline


def resumed_plan(context: Context, document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The recorded plan of the operation, if this execution took it over; None for what has to be planned.

    A newer snapshot, or a target that is half swapped, must not lead to another plan than the one begun.
    """
    operation = context.store.read(documents.operation_id(document))
    if operation is None or operation.execution_id != documents.execution_id(document) or not operation.plan:
        return None
    plan = operation.plan
    return {
        **plan,
        "deadline": deadline(
            context.settings,
            document["execution"]["started_at"],
            approval_seconds(plan),
            way_back_seconds=plan.get("replace", {}).get("way_back_seconds", 0),
        ),
    }

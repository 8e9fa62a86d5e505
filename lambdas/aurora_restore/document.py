"""Reading the execution document: `{"request", "execution", <result of each step>}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.identifiers import is_operation_id

Document = Mapping[str, Any]


def operation_id(document: Document) -> str:
    """The operation this execution works for: the plan's, else the request's, else the execution's name."""
    plan = document.get("plan")
    if isinstance(plan, Mapping):
        return str(plan["operation_id"])
    request = document.get("request")
    given = request.get("operation_id") if isinstance(request, Mapping) else None
    usable = isinstance(given, str) and is_operation_id(given)
    return str(given) if usable else execution_name(document)


def execution_name(document: Document) -> str:
    return str(document["execution"]["name"])


def execution_id(document: Document) -> str:
    """The execution's ARN."""
    return str(document["execution"]["id"])


def removes_target(plan: Mapping[str, Any]) -> bool:
    """Whether the plan removes its target; a plan of a rollback, or from before the strategy existed, does not."""
    return bool(plan.get("replace", {}).get("needed"))

"""The result of a step -> a few words about it. The keys are those of docs/architecture.md, "Functions and states"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_deploy.runbook.text import duration


def unfinished(result: Any) -> bool:
    """Return whether a step says of itself that it has to be called again."""
    return isinstance(result, Mapping) and result.get("done") is False


def words(result: Mapping[str, Any]) -> str:
    """Return what a result says of interest: source, checks, AWS status, percentage, the next look; else nothing."""
    parts = [_plan(result), _checks(result.get("passed")), _status(result.get("status"))]
    if result.get("hops", 1) > 1:
        parts.append(f"copy {result['hop']} of {result['hops']}")
    if "decided_by" in result:
        parts.append(f"approved by {result['decided_by']}: {result['reason']}")
    if isinstance(result.get("percent"), (int, float)):
        parts.append(f"{result['percent']:g} %")
    if unfinished(result) and isinstance(result.get("wait_seconds"), (int, float)):
        parts.append(f"next look in {duration(result['wait_seconds'])}")
    return ", ".join(filter(None, parts))


def _plan(plan: Mapping[str, Any]) -> str:
    """What a plan has chosen to restore from, or the restore that it rolls back."""
    if "rolls_back" in plan:
        return f"{plan['rolls_back']} can be rolled back"
    source = plan.get("source")
    if not isinstance(source, Mapping) or "text" not in source:
        return ""
    text = f"{source['text']}, data of {source['created_at']}" if source["created_at"] else str(source["text"])
    replace = plan.get("replace") or {}
    if not replace.get("needed"):
        return text
    target = plan["target"]["cluster"]
    return f"{text}; REMOVES {target} first, after snapshot {replace['final_snapshot']}: clients have no database"


def _checks(passed: Any) -> str:
    return f"{passed} checks passed" if isinstance(passed, int) else ""


def _status(status: Any) -> str:
    """One status, or those of several instances by name: each different one once."""
    if isinstance(status, Mapping):
        return " and ".join(sorted({str(value) for value in status.values()}))
    return status if isinstance(status, str) else ""

"""The texts of the notifications: plain, complete, and without secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurora_restore.document import removes_target
from aurora_restore.errors import CleanupFailed
from aurora_restore.failure import Failure
from aurora_restore.settings import Settings


def started(settings: Settings, plan: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and text of "started"."""
    if plan["action"] == "rollback":
        return _subject(settings, "rollback started", plan["target"]["cluster"]), _lines(
            *_facts(settings, plan),
            ("Next", f"The old cluster becomes {plan['target']['cluster']} again; its instances reboot once."),
        )
    expected = plan["expected_seconds"]
    return _subject(settings, "started", plan["target"]["cluster"]), _lines(
        *_facts(settings, plan),
        ("Expected duration", duration(expected) if expected else "unknown: no earlier restore of this target"),
        ("Snapshot copy", plan["copy"]["reason"] if plan["copy"]["needed"] else "not needed"),
        ("Next", _next(plan)),
    )


def approval_requested(settings: Settings, plan: Mapping[str, Any], expires_at: str) -> tuple[str, str]:
    """Subject and text of "approval needed": what is to be decided, by when, and how."""
    expected = plan["expected_seconds"]
    decide = f"ansible-playbook playbooks/approve.yml -i inventories/{settings.environment} -e operation="
    decide += plan["operation_id"]
    return _subject(settings, "needs approval", plan["target"]["cluster"]), _lines(
        *_facts(settings, plan),
        ("Requested by", plan["approval"]["requested_by"] or "not recorded"),
        ("Instances", ", ".join(item["class"] for item in plan["instances"])),
        ("What happens", _next(plan)),
        ("Expected duration", duration(expected) if expected else "unknown: no earlier restore of this target"),
        ("Expires", f"{expires_at}; nothing has been changed until then, and nothing is changed afterwards"),
        ("Approve", f"{decide} -e decision=approve -e reason='...'"),
        ("Reject", f"{decide} -e decision=reject -e reason='...'"),
    )


def succeeded(
    settings: Settings, plan: Mapping[str, Any], seconds: int, document: Mapping[str, Any]
) -> tuple[str, str]:
    """Subject and text of "succeeded"; `seconds` since the execution started, `document` with the steps' results."""
    archive = document["archive"]
    old = archive.get("old_cluster_id")
    if plan["action"] == "rollback":
        return _subject(settings, "rolled back", plan["target"]["cluster"]), _lines(
            *_facts(settings, plan),
            ("Duration", duration(seconds)),
            ("Restored cluster", f"{old} is kept until {archive['expires_at']}."),
            ("Next", f"{plan['target']['cluster']} holds the data it had before {plan['rolls_back']}."),
        )
    if archive.get("side_by_side"):
        return _subject(settings, "succeeded", plan["target"]["cluster"]), _lines(
            *_facts(settings, plan),
            ("Duration", duration(seconds)),
            ("Stopped", _stopped(document.get("credentials", {}))),
            ("Restored cluster", f"{archive['side_by_side']} is kept until {archive['expires_at']}."),
            ("Next", f"{plan['target']['cluster']} is as it was: nothing was swapped."),
        )
    kept = f"{old} is kept until {archive.get('expires_at')}."
    if removes_target(plan):
        kept = f"It was removed; snapshot {archive['final_snapshot']} holds its data, and nothing here removes that."
    return _subject(settings, "succeeded", plan["target"]["cluster"]), _lines(
        *_facts(settings, plan),
        ("Duration", duration(seconds)),
        ("Masking", document["masking"]["status"] if "masking" in document else "not asked for"),
        ("Stopped", _stopped(document.get("credentials", {}))),
        ("Verification", _checks(document.get("verification", {}))),
        ("Old cluster", kept),
        ("Next", "Applications that cache DNS may need to reconnect to reach the restored cluster."),
    )


def failed(
    settings: Settings,
    operation_id: str,
    plan: Mapping[str, Any] | None,
    failure: Failure,
    undone: Sequence[str],
    left: Sequence[str],
) -> tuple[str, str]:
    """Subject and text of "failed"; works without a plan, when even SnapshotCheck failed."""
    target = plan["target"]["cluster"] if plan else operation_id
    return _subject(settings, "FAILED", target), _lines(
        *(_facts(settings, plan) if plan else [("Operation", operation_id), ("Environment", settings.environment)]),
        ("Error", f"{failure.error} {failure.text}"),
        ("Undone", "; ".join(undone) or "nothing had to be undone"),
        *([("LEFT BEHIND", "; ".join(left))] if left else []),
        ("Next", failure.remedy),
    )


def away(settings: Settings, plan: Mapping[str, Any], error: CleanupFailed) -> tuple[str, str]:
    """Subject and text of "not back yet": the undo of a removal, or of renames, needs help or another execution."""
    return _subject(settings, "FAILED, target is AWAY", plan["target"]["cluster"]), _lines(
        *_facts(settings, plan), ("Error", f"[{error.code}] {error.message}"), ("Next", error.remedy)
    )


def _next(plan: Mapping[str, Any]) -> str:
    """What happens to the target, and when."""
    target = plan["target"]["cluster"]
    if not removes_target(plan):
        return f"{target} is untouched until the restored cluster is verified."
    return (
        f"{target} is REMOVED before the restored cluster is proven, after a final snapshot "
        f"{plan['replace']['final_snapshot']}. Clients have no database meanwhile, and what they write after that "
        "snapshot was begun is lost."
    )


def _stopped(credentials: Mapping[str, Any]) -> str:
    """What the copy of the source no longer does by itself: replication, scheduled jobs."""
    names = credentials.get("stopped", [])
    more = credentials.get("stopped_count", 0) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "") or "nothing had to be"


def _checks(verification: Mapping[str, Any]) -> str:
    """How many checks passed, and the first of them by name."""
    if "passed" not in verification:
        return "not run"
    names = ", ".join(check["name"] for check in verification["checks"])
    more = verification["passed"] - len(verification["checks"])
    rest = f" and {more} more" if more else ""
    return f"{verification['passed']} checks passed in {verification['seconds']:g} s: {names}{rest}"


def duration(seconds: int) -> str:
    """`1 h 02 min 03 s`."""
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes:02} min {seconds:02} s"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


def _subject(settings: Settings, what: str, target: str) -> str:
    return f"[{settings.environment}] Aurora restore {what}: {target}"


def _facts(settings: Settings, plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    source, at = plan["source"], plan["source"]["created_at"]
    rolls_back = [("Rolls back", plan["rolls_back"])] if plan["action"] == "rollback" else []
    return [
        ("Operation", plan["operation_id"]),
        ("Environment", f"{settings.environment} ({settings.account_id}, {settings.region})"),
        ("Target", plan["target"]["cluster"]),
        *rolls_back,
        ("Source", f"{source['text']} in {source['region']}" + (f", data of {at}" if at else "")),
    ]


def _lines(*facts: tuple[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in facts) + "\n"

"""CopySnapshot: start the copy, or wait for a slot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.aws.rds_types import Snapshot
from aurora_restore.context import Context
from aurora_restore.errors import QuotaExceeded, ResourceExists
from aurora_restore.steps.progress import require_lock, require_own, waiting

STEP = "CopySnapshot"
SLOTS = 5  # AUG, "Copying a DB cluster snapshot": five copies in progress per destination region and account
COPYING = ("copying", "creating")


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Start the planned copy unless it is there; `queued: true` while all slots are taken."""
    plan = document["plan"]
    require_lock(context, plan)
    since = int(document.get("copy", {}).get("since", context.now()))
    copy = context.rds.find_snapshot(plan["copy"]["snapshot_id"]) or _start(context, plan)
    if copy is None:
        return {**waiting(context, plan, "a free slot to copy the snapshot", since=since), "queued": True}
    require_own(context, copy.tags, plan["operation_id"], f"Snapshot {copy.snapshot_id}")
    _journal(context, plan, "made")
    return {
        "snapshot_id": copy.snapshot_id,
        "snapshot_arn": copy.arn,
        "queued": False,
        **waiting(context, plan, f"the copy {copy.snapshot_id}", since=since, percent=copy.percent, phase="copy"),
    }


def _start(context: Context, plan: Mapping[str, Any]) -> Snapshot | None:
    """The copy, or None while all slots are taken."""
    if _all_slots_taken(context):
        return None
    _journal(context, plan, "intended")
    try:
        return context.rds.copy_snapshot(
            source_arn=plan["source"]["snapshot_arn"],
            source_region=plan["source"]["region"],
            snapshot_id=plan["copy"]["snapshot_id"],
            kms_key_id=plan["copy"]["kms_key_arn"],
            tags={context.settings.operation_tag: plan["operation_id"]},
        )
    except ResourceExists:  # a call whose answer was lost
        return context.rds.find_snapshot(plan["copy"]["snapshot_id"])
    except QuotaExceeded:
        # RDS reports one code for the five copies and for the hundred snapshots; only the first ends by waiting.
        if _all_slots_taken(context):
            return None
        raise


def _all_slots_taken(context: Context) -> bool:
    return sum(snapshot.status in COPYING for snapshot in context.rds.list_snapshots()) >= SLOTS


def _journal(context: Context, plan: Mapping[str, Any], phase: str) -> None:
    context.store.journal(plan["operation_id"], STEP, {"snapshot_id": plan["copy"]["snapshot_id"], "phase": phase})

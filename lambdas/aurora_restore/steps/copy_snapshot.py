"""CopySnapshot: start the next copy of the plan, or wait for a slot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.arns import snapshot_arn
from aurora_restore.aws.rds import Rds
from aurora_restore.aws.rds_types import Snapshot
from aurora_restore.context import Context
from aurora_restore.errors import (
    AccessDenied,
    KmsKeyUnavailable,
    QuotaExceeded,
    ResourceExists,
    ResourceMissing,
    SourceVanished,
)
from aurora_restore.steps.progress import require_lock, require_own, waiting

STEP = "CopySnapshot"
SLOTS = 5  # AUG, "DB cluster snapshot copying": five copies in progress per destination region and account
COPYING = ("copying", "creating")


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Start the hop that comes next unless it is there; `queued: true` while all slots are taken.

    `hop` counts from 1; `began` is when the first one was asked for, `since` when this one was.
    """
    plan, before = document["plan"], document.get("copy", {})
    require_lock(context, plan)
    hops = plan["copy"]["hops"]
    number = int(before.get("hop", 1)) + (1 if before.get("hop_done") else 0)
    since = context.now() if before.get("hop_done") else int(before.get("since", context.now()))
    hop, rds = hops[number - 1], context.rds_in(hops[number - 1]["region"])
    at = {
        "hop": number,
        "hops": len(hops),
        "hop_done": False,
        "region": hop["region"],
        "began": int(before.get("began", since)),
    }
    copy = _own_copy(context, rds, plan, hop["snapshot_id"]) or _start(context, rds, plan, number)
    if copy is None:
        what = f"a free slot to copy the snapshot into {hop['region']}"
        return {**at, **waiting(context, plan, what, since=since), "queued": True}
    _journal(context, plan, number, "made")
    return {
        **at,
        "snapshot_id": copy.snapshot_id,
        "snapshot_arn": copy.arn,
        "queued": False,
        **waiting(context, plan, f"the copy {copy.snapshot_id}", since=since, percent=copy.percent, phase=phase(plan)),
    }


def phase(plan: Mapping[str, Any]) -> str:
    """The history knows how long all hops took together: it helps to estimate a single one only."""
    return "copy" if len(plan["copy"]["hops"]) == 1 else ""


def journalled(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Region and identifier of every copy that the operation may have made, by its journal; the newest first."""
    return [(hop["region"], hop["snapshot_id"]) for hop in reversed(entry.get("hops", []))]


def _start(context: Context, rds: Rds, plan: Mapping[str, Any], number: int) -> Snapshot | None:
    """The copy, or None while all slots are taken."""
    if _all_slots_taken(rds):
        return None
    hop = plan["copy"]["hops"][number - 1]
    _journal(context, plan, number, "intended")
    try:
        return rds.copy_snapshot(
            source_arn=hop["source_arn"],
            source_region=hop["source_region"],
            snapshot_id=hop["snapshot_id"],
            kms_key_id=hop["kms_key_arn"],
            tags={context.settings.operation_tag: plan["operation_id"]},
        )
    except ResourceExists:  # a call whose answer was lost
        return _own_copy(context, rds, plan, hop["snapshot_id"])
    except QuotaExceeded:
        # RDS reports one code for the five copies and for the hundred snapshots; only the first ends by waiting.
        if _all_slots_taken(rds):
            return None
        raise
    except ResourceMissing as error:
        raise SourceVanished(f"{hop['source_arn']} is gone: {error.message}") from error
    except (AccessDenied, KmsKeyUnavailable) as error:
        owner = snapshot_arn(hop["source_arn"])
        if owner is None or owner.account == context.settings.account_id:
            raise
        raise type(error)(error.message, remedy=_foreign_remedy(owner.account), aws_code=error.aws_code) from error


def _own_copy(context: Context, rds: Rds, plan: Mapping[str, Any], snapshot_id: str) -> Snapshot | None:
    """The copy of this name, if there is one. Raises NameTaken where the operation did not make it."""
    copy = rds.find_snapshot(snapshot_id)
    if copy is not None:
        require_own(context, copy.tags, plan["operation_id"], f"Snapshot {snapshot_id}")
    return copy


def _foreign_remedy(owner: str) -> str:
    return (
        f"Account {owner} lets this account use the snapshot's key (kms:CreateGrant, kms:DescribeKey, kms:Decrypt, "
        f"kms:ReEncrypt* in its policy), and source_accounts of the inventory names {owner}; docs/sources.md."
    )


def _all_slots_taken(rds: Rds) -> bool:
    return sum(snapshot.status in COPYING for snapshot in rds.list_snapshots()) >= SLOTS


def _journal(context: Context, plan: Mapping[str, Any], number: int, phase: str) -> None:
    """All hops up to this one: what an undo removes, each in its region."""
    hops = [{"region": hop["region"], "snapshot_id": hop["snapshot_id"]} for hop in plan["copy"]["hops"][:number]]
    context.store.journal(plan["operation_id"], STEP, {"hops": hops, "phase": phase})

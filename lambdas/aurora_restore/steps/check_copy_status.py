"""CheckCopyStatus: how far is the copy?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.context import Context
from aurora_restore.errors import CopyFailed
from aurora_restore.steps.copy_snapshot import phase
from aurora_restore.steps.progress import finished, waiting

FAILED = ("failed", "deleting", "incompatible-restore")


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """`status`, `percent`, `hop_done`, and `done` after the last hop. Raises CopyFailed or WaitTimedOut."""
    plan, copy = document["plan"], document["copy"]
    snapshot = context.rds_in(copy["region"]).find_snapshot(copy["snapshot_id"])
    if snapshot is None or snapshot.status in FAILED:
        raise CopyFailed(f"The copy {copy['snapshot_id']} {f'is {snapshot.status}' if snapshot else 'vanished'}.")
    since = int(copy["since"])
    seen = {**copy, "status": snapshot.status, "percent": snapshot.percent}
    if snapshot.status == "available":
        ended = finished(context, int(copy["began"]))
        return {**seen, **ended, "hop_done": True, "done": copy["hop"] == copy["hops"]}
    what = f"the copy {snapshot.snapshot_id} ({snapshot.status})"
    return {**seen, **waiting(context, plan, what, since=since, percent=snapshot.percent, phase=phase(plan))}

"""CheckRestoreStatus: how far is the new cluster?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.context import Context
from aurora_restore.errors import RestoreFailed
from aurora_restore.steps.progress import finished, waiting

# AUG, "Viewing DB cluster status": what a new cluster does not leave by itself.
FAILED = frozenset(
    {
        "cloning-failed",
        "deleting",
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-network",
        "incompatible-parameters",
        "incompatible-restore",
        "migration-failed",
        "restore-error",
    }
)


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """`status`, `percent` and `done`. Raises RestoreFailed or WaitTimedOut."""
    plan, restore = document["plan"], document["restore"]
    cluster = context.rds.find_cluster(restore["cluster_id"])
    if cluster is None or cluster.status in FAILED:
        raise RestoreFailed(f"Cluster {restore['cluster_id']} {f'is {cluster.status}' if cluster else 'vanished'}.")
    since = int(restore["since"])
    seen = {
        **restore,
        "cluster_resource_id": cluster.resource_id,
        "status": cluster.status,
        "percent": cluster.percent,
    }
    if cluster.status == "available":
        return {**seen, **finished(context, since)}
    what = f"cluster {cluster.cluster_id} ({cluster.status})"
    return {**seen, **waiting(context, plan, what, since=since, percent=cluster.percent, phase="restore")}

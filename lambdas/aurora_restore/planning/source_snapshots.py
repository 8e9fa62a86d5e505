"""Sources that are snapshots: the latest, a named one, the newest of a date; own ones and those of another account."""

from __future__ import annotations

from aurora_restore.arns import AUTOMATED
from aurora_restore.aws.rds import Rds
from aurora_restore.aws.rds_types import Snapshot
from aurora_restore.errors import SnapshotNotAvailable, SnapshotNotFound, SnapshotNotShared
from aurora_restore.request import Source

NAMED_DATES = 5  # how many of the dates that do have a snapshot a message lists


def choose(source: Source, rds: Rds, owner: str | None) -> Snapshot:
    """The snapshot that `source` means; `owner` is the account that shares it, None for the pipeline's own."""
    if source.type == "snapshot":
        return _named(str(source.snapshot), rds, owner)
    return _newest(str(source.cluster), source.date, rds, owner)


def _named(name: str, rds: Rds, owner: str | None) -> Snapshot:
    if owner and name.rsplit("cluster-snapshot:", 1)[-1].startswith(AUTOMATED):
        raise SnapshotNotShared(f"{name} is an automated snapshot, which account {owner} cannot share.")
    snapshot = rds.find_snapshot(name, shared=owner is not None)
    if snapshot is None and owner:
        raise SnapshotNotShared(f"Account {owner} shares no snapshot {name} with this account.")
    if snapshot is None:
        raise SnapshotNotFound(f"There is no cluster snapshot {name}.")
    if snapshot.status != "available":
        raise SnapshotNotAvailable(f"Snapshot {name} is {snapshot.status}.")
    return snapshot


def _newest(cluster: str, date: str | None, rds: Rds, owner: str | None) -> Snapshot:
    """The newest available one of the cluster, of the UTC date where one is given, automated or manual.

    Copies that a pipeline made are passed over: they hold older data than the time of their making says, and may be
    removed at any moment.
    """
    listed = rds.list_shared_snapshots(owner, cluster) if owner else rds.list_snapshots(cluster)
    snapshots = [item for item in listed if item.cluster_id == cluster and not _is_pipelines_copy(item)]
    if not snapshots and owner:
        raise SnapshotNotShared(f"Account {owner} shares no snapshot of cluster {cluster} with this account.")
    if not snapshots:
        raise SnapshotNotFound(f"Cluster {cluster} has no snapshots.")
    dated = [(item.created_text, item) for item in snapshots if item.created_text]
    if date:
        dates = sorted({text[:10] for text, _ in dated})
        dated = [(text, item) for text, item in dated if text.startswith(date)]
        if not dated:
            others = ", ".join(dates[-NAMED_DATES:]) or "none"
            raise SnapshotNotFound(f"Cluster {cluster} has no snapshot of {date}. The latest dates with one: {others}.")
    available = [(text, item.snapshot_id, item) for text, item in dated if item.status == "available"]
    if not available:
        states = ", ".join(f"{item.snapshot_id} is {item.status}" for item in snapshots if item.status != "available")
        raise SnapshotNotAvailable(f"Cluster {cluster} has no available snapshot{_on(date)}: {states}.")
    return max(available, key=lambda entry: entry[:2])[2]


def _is_pipelines_copy(snapshot: Snapshot) -> bool:
    """By tags, whatever the prefix: a snapshot that is no copy may have inherited the tag from its cluster."""
    return bool(snapshot.copied_from) and any(key.endswith(":operation") for key in snapshot.tags)


def _on(date: str | None) -> str:
    return f" of {date}" if date else ""

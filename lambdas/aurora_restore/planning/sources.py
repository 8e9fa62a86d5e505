"""Choosing the snapshot, and deciding whether it must be copied first."""

from __future__ import annotations

from typing import Any

from aurora_restore import identifiers
from aurora_restore.aws.rds import Rds
from aurora_restore.aws.rds_types import Cluster, Snapshot
from aurora_restore.errors import (
    IncompatibleEngine,
    InvalidRequest,
    NotYetSupported,
    SnapshotNotAvailable,
    SnapshotNotFound,
)
from aurora_restore.request import Request
from aurora_restore.settings import Settings

ARN_PARTS = 7  # arn:aws:rds:<region>:<account>:cluster-snapshot:<id>


def source_region(request: Request, settings: Settings) -> str:
    """Where the snapshot is: the ARN's region, else the request's, else the pipeline's own.

    Raises NotYetSupported for another account's snapshot, InvalidRequest for a contradiction or something not an ARN.
    """
    name = request.source.snapshot or ""
    if not name.startswith("arn:"):
        return request.source.region or settings.region
    parts = name.split(":", ARN_PARTS - 1)
    if len(parts) != ARN_PARTS or parts[2] != "rds" or parts[5] != "cluster-snapshot":
        raise InvalidRequest(f"source.snapshot: {name} is not the ARN of a cluster snapshot.")
    if parts[4] != settings.account_id:
        raise NotYetSupported(
            f"source.snapshot belongs to account {parts[4]}.",
            remedy=f"Copy the snapshot into account {settings.account_id} first and name the copy.",
        )
    if request.source.region and request.source.region != parts[3]:
        raise InvalidRequest(f"source.region is {request.source.region}, but the ARN names {parts[3]}.")
    return parts[3]


def choose_snapshot(request: Request, rds: Rds) -> Snapshot:
    """The named snapshot, or the newest available one of the source cluster, automated or manual."""
    if request.source.type == "snapshot":
        return _named(str(request.source.snapshot), rds)
    return _latest(str(request.source.cluster), rds)


def _named(name: str, rds: Rds) -> Snapshot:
    snapshot = rds.find_snapshot(name)
    if snapshot is None:
        raise SnapshotNotFound(f"There is no cluster snapshot {name}.")
    if snapshot.status != "available":
        raise SnapshotNotAvailable(f"Snapshot {name} is {snapshot.status}.")
    return snapshot


def _latest(cluster: str, rds: Rds) -> Snapshot:
    snapshots = [item for item in rds.list_snapshots(cluster) if item.cluster_id == cluster]
    if not snapshots:
        raise SnapshotNotFound(f"Cluster {cluster} has no snapshots.")
    dated = [(item.created, item) for item in snapshots if item.status == "available" and item.created]
    if not dated:
        states = ", ".join(f"{item.snapshot_id} is {item.status}" for item in snapshots)
        raise SnapshotNotAvailable(f"Cluster {cluster} has no available snapshot: {states}.")
    return max(dated, key=lambda pair: (pair[0], pair[1].snapshot_id))[1]


def require_fit(snapshot: Snapshot, target: Cluster) -> None:
    """Same engine and major version: the target's parameter groups belong to a family of one major version."""
    if snapshot.engine != target.engine:
        raise IncompatibleEngine(
            f"Snapshot {snapshot.snapshot_id} is of {snapshot.engine}, {target.cluster_id} runs {target.engine}."
        )
    if _major(snapshot.engine_version) != _major(target.engine_version):
        raise IncompatibleEngine(
            f"Snapshot {snapshot.snapshot_id} is of version {snapshot.engine_version}, "
            f"{target.cluster_id} runs {target.engine_version}."
        )


def wanted_key(request: Request, target: Cluster, snapshot: Snapshot) -> str | None:
    """The KMS key of the new cluster: the request's, else the target's, else the snapshot's."""
    return request.target.kms_key or target.kms_key_id or snapshot.kms_key_id


def plan_copy(
    request: Request, settings: Settings, operation_id: str, snapshot: Snapshot, region: str, key: str | None
) -> dict[str, Any]:
    """`plan.copy`. RDS restores in the snapshot's region only; an encrypted snapshot gets another key by being copied.

    An unencrypted one needs no copy for a key: RestoreDBClusterFromSnapshot encrypts it with KmsKeyId.
    """
    reasons = []
    if region != settings.region:
        reasons.append(f"the snapshot is in {region}, the target in {settings.region}")
        if snapshot.encrypted and key == snapshot.kms_key_id:
            key = settings.kms_key_id  # a key works in its own region only
    elif snapshot.encrypted and key != snapshot.kms_key_id:
        reasons.append(f"the snapshot is encrypted with {snapshot.kms_key_id}, the new cluster must be with {key}")
    return {
        "needed": bool(reasons),
        "reason": "; ".join(reasons) or "same region, and no other key for an encrypted snapshot",
        "snapshot_id": identifiers.snapshot_copy(request.target.cluster, operation_id) if reasons else None,
        "region": settings.region,
        "kms_key_arn": key if reasons and snapshot.encrypted else None,
    }


def _major(version: str) -> str:
    return version.split(".")[0]

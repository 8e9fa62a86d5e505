"""Where the data comes from: every source type of a request leads to one `Found`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aurora_restore.arns import snapshot_arn
from aurora_restore.aws.rds_types import Cluster, Snapshot
from aurora_restore.clock import iso
from aurora_restore.context import Context
from aurora_restore.errors import IncompatibleEngine, SnapshotTooOld, SourceIsTarget
from aurora_restore.planning import source_clusters, source_snapshots
from aurora_restore.request import Request
from aurora_restore.settings import Settings


@dataclass(frozen=True)
class Place:
    """Whose and where a source is."""

    region: str
    account: str


@dataclass(frozen=True)
class Found:
    """What will be restored: a `snapshot`, or the cluster `live` itself, as it was at `time` (None: now).

    `data_time` is the moment whose data it holds, as far as it is known when planning; `restore` are the source's own
    fields of `plan.restore`.
    """

    place: Place
    cluster_id: str
    cluster_resource_id: str | None
    engine: str
    engine_version: str
    encrypted: bool
    kms_key_id: str | None
    data_time: datetime | None
    text: str
    restore: dict[str, Any]
    snapshot: Snapshot | None = None
    live: Cluster | None = None

    @property
    def origin(self) -> str:
        """What `plan.origins` calls it."""
        return "snapshot" if self.snapshot else "source"


def choose(context: Context, request: Request) -> Found:
    """Find the request's source. Raises its typed refusals, SourceIsTarget and SnapshotTooOld."""
    place = locate(request, context.settings)
    home = Place(context.settings.region, context.settings.account_id)
    if place == home and request.source.cluster == request.target.cluster:  # told even where there is nothing to find
        raise SourceIsTarget(f"{request.target.cluster} is both the source and the target.")
    if request.source.type in source_clusters.TYPES:
        found = _of_cluster(context, request, place)
    else:
        found = _of_snapshot(context, request, place)
    # A named snapshot tells by its resource id whether it is of the target or of a predecessor: require_fit.
    named = request.source.type == "snapshot" and found.cluster_resource_id is not None
    if place == home and found.cluster_id == request.target.cluster and not named:
        raise SourceIsTarget(f"{request.target.cluster} is both the target and the cluster that {found.text} is of.")
    _require_age(found, request.source.max_age_hours, context.clock.now())
    return found


def locate(request: Request, settings: Settings) -> Place:
    """Where and whose the source is: the ARN says, else the request, else it is the pipeline's own."""
    arn = snapshot_arn(request.source.snapshot or "")
    if arn:
        return Place(arn.region, arn.account)
    return Place(request.source.region or settings.region, request.source.account or settings.account_id)


def require_fit(found: Found, target: Cluster) -> None:
    """Same engine and major version: the target's parameter groups belong to a family of one major version."""
    if found.cluster_resource_id == target.resource_id:  # perhaps under another name that it had before
        raise SourceIsTarget(f"{found.text} is of {target.cluster_id} itself.")
    if found.engine != target.engine:
        raise IncompatibleEngine(f"{found.text} is of {found.engine}, {target.cluster_id} runs {target.engine}.")
    if _major(found.engine_version) != _major(target.engine_version):
        raise IncompatibleEngine(
            f"{found.text} is of version {found.engine_version}, {target.cluster_id} runs {target.engine_version}."
        )


def describe(request: Request, found: Found) -> dict[str, Any]:
    """`plan.source`."""
    snapshot = found.snapshot
    return {
        "type": request.source.type,
        "text": found.text,
        "region": found.place.region,
        "account": found.place.account,
        "cluster": found.cluster_id,
        "cluster_resource_id": found.cluster_resource_id,
        "snapshot_id": snapshot.snapshot_id if snapshot else None,
        "snapshot_arn": snapshot.arn if snapshot else None,
        "snapshot_type": snapshot.type if snapshot else None,
        "created_at": iso(found.data_time) if found.data_time else None,
        "engine": found.engine,
        "engine_version": found.engine_version,
        "encrypted": found.encrypted,
        "kms_key_id": found.kms_key_id,
    }


def _of_snapshot(context: Context, request: Request, place: Place) -> Found:
    foreign = place.account != context.settings.account_id
    snapshot = source_snapshots.choose(request.source, context.rds_in(place.region), place.account if foreign else None)
    shared = f" of account {place.account}" if foreign else ""
    name = snapshot.arn if foreign else snapshot.snapshot_id  # only its ARN names what another account shares
    return Found(
        place=place,
        cluster_id=snapshot.cluster_id,
        cluster_resource_id=snapshot.cluster_resource_id,
        engine=snapshot.engine,
        engine_version=snapshot.engine_version,
        encrypted=snapshot.encrypted,
        kms_key_id=snapshot.kms_key_id,
        data_time=snapshot.created,
        text=f"snapshot {snapshot.snapshot_id} of {snapshot.cluster_id}{shared}",
        restore={"api": "RestoreDBClusterFromSnapshot", "snapshot_id": name},
        snapshot=snapshot,
    )


def _of_cluster(context: Context, request: Request, place: Place) -> Found:
    source_clusters.require_home(place.region, context.settings)
    chosen = source_clusters.choose(request.source, context.rds)
    cluster = chosen.cluster
    return Found(
        place=place,
        cluster_id=cluster.cluster_id,
        cluster_resource_id=cluster.resource_id,
        engine=cluster.engine,
        engine_version=cluster.engine_version,
        encrypted=cluster.encrypted,
        kms_key_id=cluster.kms_key_id,
        data_time=chosen.data_time,
        text=chosen.text,
        restore={
            "api": "RestoreDBClusterToPointInTime",
            "source_cluster": cluster.cluster_id,
            "source_resource_id": cluster.resource_id,
            "restore_type": chosen.restore_type,
            "restore_to_time": iso(chosen.time) if chosen.time else None,
        },
        live=cluster,
    )


def _require_age(found: Found, limit: float | None, now: datetime) -> None:
    if limit is None:
        return
    age = now - found.data_time if found.data_time else None
    if age is None or age > timedelta(hours=limit):
        told = f"{age.total_seconds() / 3600:.1f} hours old" if age else "of unknown age"
        raise SnapshotTooOld(f"{found.text} is {told}, source.max_age_hours allows {limit:g}.")


def _major(version: str) -> str:
    return version.split(".")[0]

"""RestoreDBClusterFromSnapshot, RestoreDBClusterToPointInTime."""

from __future__ import annotations

from typing import Any

from .. import attributes, neighbours, rules, timing, views
from ..catalogue import check_engine, check_upgrade, check_version
from ..clock import now
from ..errors import RdsError, invalid_combination, invalid_value
from ..model import Cluster, Resource, Snapshot
from .clusters import announce, encryption, new_cluster
from .registry import Call, action
from .snapshots import shared_snapshot

_COPY_ON_WRITE_LIMIT = 15


@action("RestoreDBClusterFromSnapshot")
def restore_from_snapshot(call: Call) -> dict[str, Any]:
    """A new cluster with the snapshot's data and master user, without instances and without a managed secret."""
    name = rules.free_cluster_name(call.realm, rules.identifier(call["DBClusterIdentifier"], "DBClusterIdentifier"))
    snapshot = rules.available_snapshot(_find(call, call["SnapshotIdentifier"]))
    source = snapshot.attributes
    engine = check_engine(call["Engine"])
    if engine != source["Engine"]:
        raise invalid_combination(f"The engine {engine} does not match the snapshot's engine {source['Engine']}.")
    version = check_version(engine, call.get("EngineVersion"))
    check_upgrade(engine, source["EngineVersion"], version)
    image = snapshot.image
    if image is None:
        raise RdsError("InvalidRestoreFault", f"DBClusterSnapshot {snapshot.name} has no data to restore.")
    cluster = _restored(call, name, snapshot, version)
    announce(call, cluster, timing.RESTORE_CLUSTER, lambda: cluster.database.restore(image))
    return {"DBCluster": views.cluster(call.world, cluster)}


@action("RestoreDBClusterToPointInTime")
def restore_to_point_in_time(call: Call) -> dict[str, Any]:
    """A new cluster with the data that the source has now: the emulator keeps no log of the past."""
    name = rules.free_cluster_name(call.realm, rules.identifier(call["DBClusterIdentifier"], "DBClusterIdentifier"))
    if "SourceDBClusterIdentifier" not in call.parameters:
        raise invalid_combination("You must specify SourceDBClusterIdentifier or SourceDbClusterResourceId.")
    source = rules.cluster(call.realm, call["SourceDBClusterIdentifier"])
    restore_type = call.get("RestoreType", "full-copy")
    if restore_type not in ("full-copy", "copy-on-write"):
        raise invalid_value(f"Invalid RestoreType: {restore_type}")
    cloning = restore_type == "copy-on-write"
    _check_time(call, source, cloning)
    if source.status not in ("available", "backing-up"):
        rules.available_cluster(source)
    if cloning:
        if source.copy_on_write_clones >= _COPY_ON_WRITE_LIMIT:
            raise invalid_combination(
                f"Cannot create more than {_COPY_ON_WRITE_LIMIT} copy-on-write clones of {source.name}."
            )
        source.copy_on_write_clones += 1
    cluster = _restored(call, name, source, source.attributes["EngineVersion"])
    if cloning:
        cluster.attributes["CloneGroupId"] = source.attributes.setdefault(
            "CloneGroupId", source.attributes["DbClusterResourceId"]
        )
    announce(call, cluster, timing.RESTORE_CLUSTER, lambda: source.database.image(cluster.database.data_dir))
    return {"DBCluster": views.cluster(call.world, cluster)}


def _find(call: Call, name: str) -> Snapshot:
    shared = shared_snapshot(call.world, call.realm, name) if name.startswith("arn:") else None
    if shared is None:
        return rules.snapshot(call.realm, name)
    if shared.realm.region != call.realm.region:
        raise RdsError("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot {name} not found in {call.realm.region}.")
    if shared.attributes["StorageEncrypted"]:
        neighbours.usable_key(call.realm, shared.attributes["KmsKeyId"])
    return shared


def _restored(call: Call, name: str, source: Resource, version: str) -> Cluster:
    rules.room_for_cluster(call.realm)
    origin = source.attributes
    described = attributes.new_cluster(call.realm, call.parameters, origin["Engine"], version)
    described["MasterUsername"] = origin["MasterUsername"]
    described |= encryption(call, origin["StorageEncrypted"], call.get("KmsKeyId") or origin.get("KmsKeyId"))
    return new_cluster(call, name, described)


def _check_time(call: Call, source: Cluster, cloning: bool) -> None:
    moment, latest = call.get("RestoreToTime"), call.get("UseLatestRestorableTime", False)
    if moment is not None and latest:
        raise invalid_combination("You can't specify both RestoreToTime and UseLatestRestorableTime.")
    if moment is None and not latest:
        raise invalid_combination("You must specify RestoreToTime or UseLatestRestorableTime.")
    if moment is None:
        return
    if cloning:
        raise invalid_combination("RestoreToTime can't be specified when RestoreType is copy-on-write.")
    if not source.attributes["ClusterCreateTime"] <= moment <= now():
        raise RdsError(
            "InvalidRestoreFault", f"{moment.isoformat()} is outside of the restorable time of {source.name}."
        )

"""CreateDBClusterSnapshot, DescribeDBClusterSnapshots, DeleteDBClusterSnapshot."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from .. import listing, rules, timing, views
from ..clock import now
from ..errors import RdsError, invalid_value
from ..model import Attributes, Cluster, Realm, Snapshot
from ..world import Change, World
from .registry import Call, action

# What a snapshot remembers of its cluster, under the same names.
_REMEMBERED = (
    "AllocatedStorage",
    "AvailabilityZones",
    "ClusterCreateTime",
    "DbClusterResourceId",
    "Engine",
    "EngineMode",
    "EngineVersion",
    "IAMDatabaseAuthenticationEnabled",
    "KmsKeyId",
    "MasterUsername",
    "StorageEncrypted",
    "StorageType",
    "BackupRetentionPeriod",
    "PreferredBackupWindow",
)


@action("CreateDBClusterSnapshot")
def create_snapshot(call: Call) -> dict[str, Any]:
    """A manual snapshot; the cluster is `backing-up` until the data is copied."""
    name = rules.new_snapshot_name(call.realm, call["DBClusterSnapshotIdentifier"])
    cluster = rules.available_cluster(rules.cluster(call.realm, call["DBClusterIdentifier"]))
    tags = rules.new_tags(call.get("Tags"))
    begin_snapshot(call.world, call.realm, cluster, name, tags, "manual")
    return {"DBClusterSnapshot": views.snapshot(call.world.clock, call.realm.snapshots[name])}


def begin_snapshot(world: World, realm: Realm, cluster: Cluster, name: str, tags: dict[str, str], kind: str) -> None:
    """Start a snapshot of an available cluster."""
    snapshot = _new(realm, cluster, name, tags, kind)
    cluster.status = "backing-up"

    def finish() -> None:
        _complete(realm, snapshot)
        cluster.status = "available"

    def work() -> None:
        try:
            _image(world, cluster, snapshot)
        except Exception:
            with world.lock:
                cluster.status = "available"
            raise

    world.begin(Change(snapshot, timing.CREATE_SNAPSHOT, finish, work))


def take_snapshot(call: Call, cluster: Cluster, name: str, tags: dict[str, str]) -> Callable[[], None]:
    """A final snapshot: listed at once, taken when the returned function is called."""
    snapshot = _new(call.realm, cluster, name, tags, "manual")

    def take() -> None:
        _image(call.world, cluster, snapshot)
        with call.world.lock:
            _complete(call.realm, snapshot)

    return take


def _new(realm: Realm, cluster: Cluster, name: str, tags: dict[str, str], kind: str) -> Snapshot:
    inherited = cluster.tags if cluster.attributes["CopyTagsToSnapshot"] else {}
    attributes: Attributes = {key: cluster.attributes[key] for key in _REMEMBERED if key in cluster.attributes}
    attributes |= {
        "DBClusterIdentifier": cluster.name,
        "SnapshotCreateTime": now(),
        "SnapshotType": kind,
        "LicenseModel": "postgresql-license" if cluster.engine == "aurora-postgresql" else "general-public-license",
        "Port": 0,
    }
    snapshot = Snapshot(realm, name, attributes, tags={**inherited, **tags}, seconds=timing.CREATE_SNAPSHOT)
    realm.snapshots[name] = snapshot
    return snapshot


def _image(world: World, cluster: Cluster, snapshot: Snapshot) -> None:
    target = world.host.data_dir / f"image-{uuid.uuid4().hex[:12]}"
    cluster.database.image(target)
    snapshot.image = target


def _complete(realm: Realm, snapshot: Snapshot) -> None:
    snapshot.status = "available"
    realm.record(
        "db-cluster-snapshot", snapshot, f"{snapshot.attributes['SnapshotType'].capitalize()} cluster snapshot created"
    )


def shared_snapshot(world: World, realm: Realm, arn: str) -> Snapshot | None:
    """A snapshot of another account that `realm`'s may use, by ARN."""
    for other in world.realms():
        for snapshot in other.snapshots.values():
            if snapshot.arn == arn.lower() and {realm.account, "all"} & snapshot.shared_with:
                return snapshot
    return None


@action("DescribeDBClusterSnapshots")
def describe_snapshots(call: Call) -> dict[str, Any]:
    """The account's own snapshots, by type, and on request those shared with it."""
    kind, name = call.get("SnapshotType"), call.get("DBClusterSnapshotIdentifier")
    if kind not in (None, "automated", "manual", "shared", "public", "awsbackup"):
        raise invalid_value(f"Invalid snapshot type: {kind}")
    found = _own(call, kind)
    if kind == "shared" or call.get("IncludeShared"):
        found += _others(call, call.realm.account)
    if kind == "public" or call.get("IncludePublic"):
        found += _others(call, "all")
    if name:
        # An automated snapshot is found by its id only when the type is named too.
        found = [one for one in found if name.lower() in (one.name, one.arn) and (kind or one.is_manual)]
        if not found:
            raise RdsError("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot not found: {name}")
    if cluster := call.get("DBClusterIdentifier"):
        found = [one for one in found if one.attributes["DBClusterIdentifier"] == rules.last_part(cluster)]
    if resource := call.get("DbClusterResourceId"):
        found = [one for one in found if one.attributes["DbClusterResourceId"] == resource]
    found = listing.filtered(
        call,
        found,
        {
            "db-cluster-id": lambda one: (one.attributes["DBClusterIdentifier"],),
            "db-cluster-snapshot-id": lambda one: (one.name,),
            "snapshot-type": lambda one: (one.attributes["SnapshotType"],),
            "engine": lambda one: (one.attributes["Engine"],),
        },
    )
    return listing.page(call, found, "DBClusterSnapshots", lambda one: views.snapshot(call.world.clock, one))


def _own(call: Call, kind: str | None) -> list[Snapshot]:
    own = sorted(call.realm.snapshots.values(), key=lambda one: one.name)
    return [one for one in own if kind in (None, one.attributes["SnapshotType"])]


def _others(call: Call, shared_with: str) -> list[Snapshot]:
    realms = [
        one for one in call.world.realms() if one.region == call.realm.region and one.account != call.realm.account
    ]
    return [one for realm in realms for one in realm.snapshots.values() if shared_with in one.shared_with]


@action("DeleteDBClusterSnapshot")
def delete_snapshot(call: Call) -> dict[str, Any]:
    """Delete a manual snapshot; one that is still being copied is cancelled."""
    snapshot = rules.snapshot(call.realm, call["DBClusterSnapshotIdentifier"])
    if not snapshot.is_manual:
        raise RdsError(
            "InvalidDBClusterSnapshotStateFault", "Automated snapshots are deleted with their retention, not by hand."
        )
    if snapshot.status == "creating":
        rules.available_snapshot(snapshot)
    snapshot.cancelled.set()
    snapshot.status = "deleted"
    del call.realm.snapshots[snapshot.name]
    call.world.forget_image(snapshot)
    call.realm.record("db-cluster-snapshot", snapshot, "Deleted manual snapshot")
    return {"DBClusterSnapshot": views.snapshot(call.world.clock, snapshot)}

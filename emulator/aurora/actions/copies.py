"""CopyDBClusterSnapshot: within a region, across regions, from another account."""

from __future__ import annotations

import time
from typing import Any

from .. import neighbours, rules, timing, views
from ..clock import now
from ..errors import RdsError, invalid_combination, invalid_value
from ..model import Attributes, Snapshot
from ..world import Change
from .registry import Call, action
from .snapshots import shared_snapshot


@action("CopyDBClusterSnapshot")
def copy_snapshot(call: Call) -> dict[str, Any]:
    """A manual snapshot in the called region with the source's data. Its percentage grows while it is `copying`."""
    source = _source(call, call["SourceDBClusterSnapshotIdentifier"])
    rules.available_snapshot(source)
    name = rules.new_snapshot_name(call.realm, call["TargetDBClusterSnapshotIdentifier"])
    copying = sum(one.status == "copying" for one in call.realm.snapshots.values())
    if copying >= call.realm.quotas["ConcurrentSnapshotCopies"]:
        raise RdsError(
            "SnapshotQuotaExceededFault",
            f"You have reached the maximum of {copying} snapshot copies in progress to {call.realm.region}.",
        )
    attributes = (
        source.attributes
        | _encryption(call, source)
        | {
            "SnapshotType": "manual",
            "SnapshotCreateTime": now(),
            "SourceDBClusterSnapshotArn": source.arn,
        }
    )
    snapshot = Snapshot(
        call.realm,
        name,
        attributes,
        "copying",
        _tags(call, source),
        image=source.image,
        started=time.monotonic(),
        seconds=timing.COPY_SNAPSHOT,
    )
    call.realm.snapshots[name] = snapshot

    def finish() -> None:
        if not snapshot.cancelled.is_set():
            snapshot.status = "available"
            call.realm.record("db-cluster-snapshot", snapshot, "Finished copy of snapshot")

    call.world.begin(Change(snapshot, timing.COPY_SNAPSHOT, finish, cancelled=snapshot.cancelled))
    return {"DBClusterSnapshot": views.snapshot(call.world.clock, snapshot)}


def _source(call: Call, name: str) -> Snapshot:
    if not name.startswith("arn:"):
        return rules.snapshot(call.realm, name)
    _, _, service, region, account, resource = name.split(":", 5)
    if service != "rds" or not resource.startswith("cluster-snapshot:"):
        raise invalid_value(f"Invalid snapshot ARN: {name}")
    if account == call.realm.account:
        return rules.snapshot(call.world.realm(account, region), name)
    shared = shared_snapshot(call.world, call.realm, name)
    if shared is None:
        raise RdsError("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot {name} not found.")
    if region != call.realm.region and shared.attributes["StorageEncrypted"]:
        raise invalid_combination(
            "An encrypted snapshot of another account can't be copied across regions in one step: copy it "
            f"in {region} first."
        )
    return shared


def _encryption(call: Call, source: Snapshot) -> Attributes:
    key = call.get("KmsKeyId") or None
    if not source.attributes["StorageEncrypted"]:
        if key:
            raise invalid_combination("KmsKeyId can't be specified for a copy of an unencrypted DB cluster snapshot.")
        return {}
    foreign, remote = source.realm.account != call.realm.account, source.realm.region != call.realm.region
    if foreign and not key:
        raise invalid_combination("KmsKeyId is required to copy an encrypted snapshot that another account shared.")
    if remote and not key:
        raise invalid_combination(f"KmsKeyId is required to copy an encrypted snapshot to {call.realm.region}.")
    if foreign:
        # Reading the shared data takes a grant on the owner's key.
        neighbours.usable_key(call.realm, source.attributes["KmsKeyId"])
    return {"KmsKeyId": neighbours.usable_key(call.realm, key)} if key else {}


def _tags(call: Call, source: Snapshot) -> dict[str, str]:
    own = rules.new_tags(call.get("Tags"))
    if not call.get("CopyTags", False):
        return own
    if source.realm.account != call.realm.account:
        raise invalid_combination("CopyTags can't be used with a snapshot of another account.")
    return rules.new_tags({"Key": key, "Value": value} for key, value in source.tags.items()) | own

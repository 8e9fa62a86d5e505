"""ModifyDBClusterSnapshotAttribute, DescribeDBClusterSnapshotAttributes."""

from __future__ import annotations

import re
from typing import Any

from .. import neighbours, rules, views
from ..errors import RdsError, invalid_combination, invalid_value
from .registry import Call, action

_ACCOUNT = re.compile(r"\d{12}|all")


@action("ModifyDBClusterSnapshotAttribute")
def modify_sharing(call: Call) -> dict[str, Any]:
    """Let accounts restore a manual snapshot, or stop them."""
    snapshot = rules.snapshot(call.realm, call["DBClusterSnapshotIdentifier"])
    if call["AttributeName"] != "restore":
        raise invalid_value(f"Invalid snapshot attribute: {call['AttributeName']}")
    added, removed = set(call.get("ValuesToAdd", [])), set(call.get("ValuesToRemove", []))
    if bad := [value for value in sorted(added | removed) if not _ACCOUNT.fullmatch(value)]:
        raise invalid_value(f"Invalid value for restore: {', '.join(bad)}")
    if not snapshot.is_manual:
        raise RdsError(
            "InvalidDBClusterSnapshotStateFault", "Automated snapshots can't be shared: copy the snapshot first."
        )
    rules.available_snapshot(snapshot)
    if added and snapshot.attributes["StorageEncrypted"]:
        if "all" in added:
            raise invalid_combination("Encrypted snapshots can't be made public.")
        if neighbours.is_default_key(snapshot.attributes["KmsKeyId"]):
            raise RdsError(
                "InvalidDBClusterSnapshotStateFault",
                "Snapshots encrypted with the aws/rds key can't be shared: copy them under a customer key first.",
            )
    snapshot.shared_with = (snapshot.shared_with | added) - removed
    return {"DBClusterSnapshotAttributesResult": views.snapshot_sharing(snapshot)}


@action("DescribeDBClusterSnapshotAttributes")
def describe_sharing(call: Call) -> dict[str, Any]:
    """Who may restore a snapshot."""
    snapshot = rules.snapshot(call.realm, call["DBClusterSnapshotIdentifier"])
    return {"DBClusterSnapshotAttributesResult": views.snapshot_sharing(snapshot)}

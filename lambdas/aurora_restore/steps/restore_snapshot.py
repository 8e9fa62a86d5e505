"""RestoreSnapshot: a new cluster beside the target, from a snapshot or from a cluster in being."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.aws.rds_types import Cluster, tags_to_api
from aurora_restore.clock import parse_iso
from aurora_restore.context import Context
from aurora_restore.errors import (
    AwsCallFailed,
    CloneLimitReached,
    ResourceExists,
    ResourceMissing,
    RestoreFailed,
    SourceVanished,
)
from aurora_restore.planning.source_clusters import CLONES, COPY_ON_WRITE
from aurora_restore.steps.progress import require_lock, require_own, waiting
from aurora_restore.store import Operation

STEP = "RestoreSnapshot"


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Restore under the operation's own name and tag; never touches the target."""
    plan = document["plan"]
    require_lock(context, plan)
    cluster = _own_cluster(context, plan) or _restore(context, plan)
    _journal(context, plan, "made", cluster.resource_id)
    return {
        "cluster_id": cluster.cluster_id,
        "cluster_resource_id": cluster.resource_id,
        "status": cluster.status,
        **waiting(context, plan, f"cluster {cluster.cluster_id}", since=context.now(), phase="restore"),
    }


def restored_resource_id(operation: Operation | None) -> str:
    """The resource id of the cluster that an operation restored; a rename does not change it."""
    return str(operation.entry(STEP).get("cluster_resource_id", "")) if operation else ""


def require_source(context: Context, plan: Mapping[str, Any]) -> None:
    """What the plan restores from is still there. Raises SourceVanished otherwise."""
    restore = plan["restore"]
    if restore["api"] != "RestoreDBClusterFromSnapshot":
        _require_same_cluster(context, restore)
        return
    snapshot = context.rds.find_snapshot(restore["snapshot_id"], shared=True)
    if snapshot is None or snapshot.status != "available":
        raise SourceVanished(f"{plan['source']['text']} is {snapshot.status if snapshot else 'gone'}.")


def arguments(restore: Mapping[str, Any]) -> dict[str, Any]:
    """`plan.restore` as its `api` takes it, RestoreDBClusterFromSnapshot or RestoreDBClusterToPointInTime.

    Everything is explicit: what is left out silently becomes a default (security group, subnet group, parameter group).
    What this call cannot carry comes later: with CheckInstances what has to be there before the swap, with
    ArchiveSnapshot the maintenance window, and deletion protection, which would hinder an undo.
    """
    given = {
        "DBClusterIdentifier": restore["cluster_id"],
        **(_of_snapshot(restore) if restore["api"] == "RestoreDBClusterFromSnapshot" else _of_cluster(restore)),
        "Port": restore["port"],
        "DBSubnetGroupName": restore["subnet_group"],
        "VpcSecurityGroupIds": restore["security_group_ids"] or None,
        "DBClusterParameterGroupName": restore["parameter_group"],
        "KmsKeyId": restore["kms_key_id"],
        "EnableIAMDatabaseAuthentication": restore["iam_authentication"],
        "EnableCloudwatchLogsExports": restore["log_exports"] or None,
        "CopyTagsToSnapshot": restore["copy_tags_to_snapshot"],
        "ServerlessV2ScalingConfiguration": restore["serverless_scaling"],
        "BacktrackWindow": restore.get("backtrack_seconds"),  # a resumed plan may be older than this setting
        "EngineLifecycleSupport": restore.get("engine_lifecycle_support"),
        "StorageType": restore["storage_type"],
        "NetworkType": restore["network_type"],
        "BackupRetentionPeriod": restore["backup_retention_days"],
        "PreferredBackupWindow": restore["backup_window"],
        "DeletionProtection": False,
        "Tags": tags_to_api(restore["tags"]),
    }
    return {name: value for name, value in given.items() if value is not None}


def _of_snapshot(restore: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "SnapshotIdentifier": restore["snapshot_id"],
        "Engine": restore["engine"],
        "EngineVersion": restore["engine_version"],
    }


def _of_cluster(restore: Mapping[str, Any]) -> dict[str, Any]:
    """Exactly one of RestoreToTime and UseLatestRestorableTime. Engine and version are the source's: no parameters."""
    time = restore["restore_to_time"]
    return {
        "SourceDBClusterIdentifier": restore["source_cluster"],
        "RestoreType": restore["restore_type"],
        **({"RestoreToTime": parse_iso(time)} if time else {"UseLatestRestorableTime": True}),
    }


def _restore(context: Context, plan: Mapping[str, Any]) -> Cluster:
    restore, rds = plan["restore"], context.rds
    of_snapshot = restore["api"] == "RestoreDBClusterFromSnapshot"
    if not of_snapshot:
        _require_same_cluster(context, restore)
    _journal(context, plan, "intended")
    try:
        call = rds.restore_cluster_from_snapshot if of_snapshot else rds.restore_cluster_to_point_in_time
        return call(**arguments(restore))
    except ResourceExists as error:  # a call whose answer was lost
        cluster = _own_cluster(context, plan)
        if cluster is None:
            raise RestoreFailed(f"Cluster {restore['cluster_id']} appeared and vanished.") from error
        return cluster
    except ResourceMissing as error:
        if error.aws_code in ("DBClusterSnapshotNotFoundFault", "DBSnapshotNotFound", "DBClusterNotFoundFault"):
            raise SourceVanished(f"{plan['source']['text']} is gone: {error.message}") from error
        raise
    except AwsCallFailed as error:
        # AWS documents no code for it; a refusal with a class of its own has another reason.
        cloning = restore.get("restore_type") == COPY_ON_WRITE and type(error) is AwsCallFailed
        if cloning and _clones(context, restore["source_cluster"]) >= CLONES:
            raise CloneLimitReached(error.message) from error
        raise


def _own_cluster(context: Context, plan: Mapping[str, Any]) -> Cluster | None:
    """The cluster of the operation's name, if there is one. Raises NameTaken where the operation did not make it."""
    cluster = context.rds.find_cluster(plan["restore"]["cluster_id"])
    if cluster is not None:
        require_own(context, cluster.tags, plan["operation_id"], f"Cluster {cluster.cluster_id}")
    return cluster


def _require_same_cluster(context: Context, restore: Mapping[str, Any]) -> None:
    """The source's name still means the cluster that was planned with: another may have been swapped in."""
    source = context.rds.find_cluster(restore["source_cluster"])
    if source is None or source.resource_id != restore["source_resource_id"]:
        what = "is another cluster than before" if source else "is gone"
        raise SourceVanished(f"Cluster {restore['source_cluster']} {what}.")


def _clones(context: Context, name: str) -> int:
    """How many other clusters share the source's clone group; points in time of it do, too."""
    clusters = context.rds.list_clusters()
    group = next((item.raw.get("CloneGroupId") for item in clusters if item.cluster_id == name), None)
    return len([item for item in clusters if group and item.raw.get("CloneGroupId") == group]) - 1


def _journal(context: Context, plan: Mapping[str, Any], phase: str, resource_id: str = "") -> None:
    entry = {"cluster_id": plan["restore"]["cluster_id"], "cluster_resource_id": resource_id, "phase": phase}
    context.store.journal(plan["operation_id"], STEP, entry)

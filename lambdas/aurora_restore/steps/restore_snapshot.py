"""RestoreSnapshot: a new cluster beside the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.aws.rds_types import Cluster, tags_to_api
from aurora_restore.context import Context
from aurora_restore.errors import ResourceExists, RestoreFailed
from aurora_restore.steps.progress import require_lock, require_own, waiting
from aurora_restore.store import Operation

STEP = "RestoreSnapshot"


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Restore under the operation's own name and tag; never touches the target."""
    plan = document["plan"]
    require_lock(context, plan)
    cluster = context.rds.find_cluster(plan["restore"]["cluster_id"]) or _restore(context, plan)
    require_own(context, cluster.tags, plan["operation_id"], f"Cluster {cluster.cluster_id}")
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


def arguments(restore: Mapping[str, Any]) -> dict[str, Any]:
    """`plan.restore` as RestoreDBClusterFromSnapshot takes it.

    Everything is explicit: what is left out silently becomes a default (security group, subnet group, parameter group).
    Deletion protection and maintenance window come last, with ArchiveSnapshot: the one would hinder an undo, the other
    is no parameter of this call.
    """
    given = {
        "DBClusterIdentifier": restore["cluster_id"],
        "SnapshotIdentifier": restore["snapshot_id"],
        "Engine": restore["engine"],
        "EngineVersion": restore["engine_version"],
        "Port": restore["port"],
        "DBSubnetGroupName": restore["subnet_group"],
        "VpcSecurityGroupIds": restore["security_group_ids"] or None,
        "DBClusterParameterGroupName": restore["parameter_group"],
        "KmsKeyId": restore["kms_key_id"],
        "EnableIAMDatabaseAuthentication": restore["iam_authentication"],
        "EnableCloudwatchLogsExports": restore["log_exports"] or None,
        "CopyTagsToSnapshot": restore["copy_tags_to_snapshot"],
        "ServerlessV2ScalingConfiguration": restore["serverless_scaling"],
        "StorageType": restore["storage_type"],
        "NetworkType": restore["network_type"],
        "BackupRetentionPeriod": restore["backup_retention_days"],
        "PreferredBackupWindow": restore["backup_window"],
        "DeletionProtection": False,
        "Tags": tags_to_api(restore["tags"]),
    }
    return {name: value for name, value in given.items() if value is not None}


def _restore(context: Context, plan: Mapping[str, Any]) -> Cluster:
    _journal(context, plan, "intended")
    try:
        return context.rds.restore_cluster(**arguments(plan["restore"]))
    except ResourceExists as error:  # a call whose answer was lost
        cluster = context.rds.find_cluster(plan["restore"]["cluster_id"])
        if cluster is None:
            raise RestoreFailed(f"Cluster {plan['restore']['cluster_id']} appeared and vanished.") from error
        return cluster


def _journal(context: Context, plan: Mapping[str, Any], phase: str, resource_id: str = "") -> None:
    entry = {"cluster_id": plan["restore"]["cluster_id"], "cluster_resource_id": resource_id, "phase": phase}
    context.store.journal(plan["operation_id"], STEP, entry)

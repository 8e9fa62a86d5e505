"""ArchiveSnapshot: what is kept, until when, and what is removed. A source snapshot is never touched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.aws.rds_types import Cluster, Instance
from aurora_restore.context import Context
from aurora_restore.document import removes_target
from aurora_restore.steps.keeping import keep_for_a_while, require_cluster, set_aside
from aurora_restore.steps.progress import require_lock, require_own
from aurora_restore.steps.restore_snapshot import restored_resource_id


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Finish the new cluster, give the old one its expiry, remove the operation's own snapshot copies.

    The final snapshot of a target that was removed stays: nothing but a person removes it.
    """
    plan = document["plan"]
    require_lock(context, plan)
    name = plan["target"]["cluster"] if plan["swap"]["needed"] else plan["restore"]["cluster_id"]
    cluster = require_cluster(context, name, restored_resource_id(context.store.read(plan["operation_id"])))
    finish_cluster(context, plan, cluster)
    kept = _keep(context, plan, cluster)
    if plan["swap"]["needed"]:
        _hand_over(context, plan, cluster)
    return {**kept, **_remove_copies(context, plan)}


def finish_cluster(context: Context, plan: Mapping[str, Any], cluster: Cluster) -> None:
    """What of `plan.restore` the restore call could not or should not carry, both windows in one call."""
    wanted = {
        "DeletionProtection": bool(plan["restore"]["deletion_protection"]),
        "PreferredMaintenanceWindow": plan["restore"]["maintenance_window"],
        "BackupRetentionPeriod": plan["restore"]["backup_retention_days"],
        "PreferredBackupWindow": plan["restore"]["backup_window"],
    }
    changes = {key: value for key, value in wanted.items() if value is not None and cluster.raw.get(key) != value}
    if changes:
        context.rds.modify_cluster(cluster.cluster_id, **changes)


def _hand_over(context: Context, plan: Mapping[str, Any], cluster: Cluster) -> None:
    """From here on the restored cluster is the target and no longer the operation's own: no undo may delete it."""
    settings = context.settings
    instances = context.rds.cluster_instances(cluster.cluster_id)
    things: list[Cluster | Instance] = [*instances, cluster]
    for thing in things:
        if thing.tags.get(settings.operation_tag) == plan["operation_id"]:
            if thing.tags.get(settings.restored_tag) != plan["operation_id"]:
                context.rds.add_tags(thing.arn, {settings.restored_tag: plan["operation_id"]})
            context.rds.remove_tags(thing.arn, [settings.operation_tag])


def _keep(context: Context, plan: Mapping[str, Any], cluster: Cluster) -> dict[str, Any]:
    """Give what stands beside the target its expiry: the old cluster, or the restored one where nothing is swapped."""
    if not plan["swap"]["needed"]:
        marks = {context.settings.operation_tag: plan["operation_id"]}
        hours = plan["retention"]["keep_old_hours"]
        expires_at = keep_for_a_while(context, plan, cluster, hours, marks=marks)
        return {"old_cluster_id": None, "side_by_side": cluster.cluster_id, "expires_at": expires_at}
    if removes_target(plan):
        return {"old_cluster_id": None, "final_snapshot": plan["replace"]["final_snapshot"]}
    name = plan["swap"]["old_cluster_id"]
    return {
        "old_cluster_id": name,
        "expires_at": set_aside(context, plan, name, plan["target"]["cluster_resource_id"]),
    }


def _remove_copies(context: Context, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Remove the copies on the way, and the last one unless it shall be kept."""
    if not plan["copy"]["needed"]:
        return {"copy": "none"}
    *on_the_way, last = plan["copy"]["hops"]
    keep = plan["retention"]["keep_copy"]
    for hop in [*on_the_way, *([] if keep else [last])]:
        rds = context.rds_in(hop["region"])
        copy = rds.find_snapshot(hop["snapshot_id"])
        if copy is not None:
            require_own(context, copy.tags, plan["operation_id"], f"Snapshot {copy.snapshot_id}")
            rds.delete_snapshot(copy.snapshot_id)
    return {"copy": "kept" if keep else "removed", "snapshot_id": last["snapshot_id"]}

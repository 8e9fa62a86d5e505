"""ArchiveSnapshot: what is kept, until when, and what is removed. A source snapshot is never touched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aurora_restore.clock import iso
from aurora_restore.context import Context
from aurora_restore.errors import ResourceMissing
from aurora_restore.steps.progress import require_lock, require_own


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Finish the new cluster, give the old one its expiry, remove the operation's own snapshot copy."""
    plan = document["plan"]
    require_lock(context, plan)
    finish_cluster(context, plan, document["restore"]["cluster_resource_id"])
    return {**_keep_old(context, plan), **_remove_copy(context, plan)}


def finish_cluster(context: Context, plan: Mapping[str, Any], resource_id: str) -> None:
    """The mirrored settings that the restore call could not or should not carry."""
    name = plan["target"]["cluster"] if plan["swap"]["needed"] else plan["restore"]["cluster_id"]
    cluster = context.rds.find_cluster(name)
    if cluster is None or cluster.resource_id != resource_id:
        raise ResourceMissing(f"Cluster {name} is not the restored one ({resource_id}).")
    wanted = {
        "DeletionProtection": bool(plan["restore"]["deletion_protection"]),
        "PreferredMaintenanceWindow": plan["restore"]["maintenance_window"],
    }
    changes = {key: value for key, value in wanted.items() if value is not None and cluster.raw.get(key) != value}
    if changes:
        context.rds.modify_cluster(name, **changes)


def _keep_old(context: Context, plan: Mapping[str, Any]) -> dict[str, Any]:
    if not plan["swap"]["needed"]:
        return {"old_cluster_id": None, "expires_at": None}
    name = plan["swap"]["old_cluster_id"]
    cluster = context.rds.find_cluster(name)
    if cluster is None or cluster.resource_id != plan["target"]["cluster_resource_id"]:
        raise ResourceMissing(f"Cluster {name} is not the former {plan['target']['cluster']}.")
    # A retry must not push the expiry back.
    expires_at = cluster.tags.get(context.settings.expires_tag)
    if not expires_at:
        expires_at = iso(context.clock.now() + timedelta(hours=plan["retention"]["keep_old_hours"]))
        context.rds.add_tags(cluster.arn, {context.settings.expires_tag: expires_at})
    return {"old_cluster_id": name, "expires_at": expires_at}


def _remove_copy(context: Context, plan: Mapping[str, Any]) -> dict[str, Any]:
    if not plan["copy"]["needed"]:
        return {"copy": "none"}
    if plan["retention"]["keep_copy"]:
        return {"copy": "kept", "snapshot_id": plan["copy"]["snapshot_id"]}
    copy = context.rds.find_snapshot(plan["copy"]["snapshot_id"])
    if copy is not None:
        require_own(context, copy.tags, plan["operation_id"], f"Snapshot {copy.snapshot_id}")
        context.rds.delete_snapshot(copy.snapshot_id)
    return {"copy": "removed", "snapshot_id": plan["copy"]["snapshot_id"]}

"""Clusters whose time is over: what a swap put aside, and what a restore left side by side.

A cluster is removed only if it carries the tags AND the journal of the operation named there knows it by its resource
id, under the name it has now, which is never a target's.
"""

from __future__ import annotations

from aurora_restore import identifiers
from aurora_restore.aws.rds_types import Cluster
from aurora_restore.clock import parse_iso
from aurora_restore.context import Context
from aurora_restore.errors import LockHeld, ResourceBusy, ResourceMissing
from aurora_restore.steps.restore_snapshot import STEP as RESTORED
from aurora_restore.store import AuditStatus, Operation, resource_key
from aurora_restore.swapping import Kind, journalled

SWEEP = "Sweep"


def expired_clusters(context: Context) -> list[Cluster]:
    """Every cluster of the region that carries our tags and whose time is over."""
    return [
        cluster for cluster in context.rds.list_clusters() if _owner(context, cluster) and _is_over(context, cluster)
    ]


def remove_expired(context: Context, cluster: Cluster) -> str:
    """The next step of one removal: its instances, then the cluster. Returns its name once its deletion is requested.

    The lock of the target is held meanwhile, so that no rollback finds its old cluster half gone.
    """
    operation = context.store.read(_owner(context, cluster))
    if operation is None or not _is_known(operation, cluster):
        context.logger.warning("not ours, left alone", extra={"cluster": cluster.cluster_id})
        return ""
    target = operation.plan["target"]
    resource, me = resource_key(target["region"], target["cluster"]), SWEEP.lower()
    try:
        context.store.acquire(resource, me, context.now() + context.settings.lambda_timeout_seconds, context.now())
    except LockHeld:
        return ""
    try:
        fresh = context.rds.find_cluster(cluster.cluster_id)
        if fresh is None or _owner(context, fresh) != operation.operation_id or not _is_known(operation, fresh):
            return ""
        return _step(context, operation, fresh)
    finally:
        context.store.release(resource, me)


def _step(context: Context, operation: Operation, cluster: Cluster) -> str:
    instances = context.rds.cluster_instances(cluster.cluster_id)
    for instance in instances:
        if instance.status != "deleting":
            context.rds.delete_instance(instance.instance_id)
    if instances or cluster.status == "deleting":
        return ""
    asked = bool(operation.plan["retention"]["final_snapshot"])
    snapshot = identifiers.final_snapshot(cluster.cluster_id) if asked else None
    if cluster.deletion_protection:
        context.rds.modify_cluster(cluster.cluster_id, DeletionProtection=False)
    try:
        context.rds.delete_cluster(cluster.cluster_id, final_snapshot=snapshot)
    except (ResourceBusy, ResourceMissing) as error:  # its instances are not quite gone: the next sweep
        context.logger.info("removal has to wait", extra={"reason": error.message})
        return ""
    details = {"removed": cluster.cluster_id, "final_snapshot": snapshot or "none"}
    context.store.audit(operation.operation_id, SWEEP, AuditStatus.SUCCEEDED, details)
    return cluster.cluster_id


def _owner(context: Context, cluster: Cluster) -> str:
    """The operation that put the cluster aside or made it; empty without an expiry."""
    settings = context.settings
    if settings.expires_tag not in cluster.tags:
        return ""
    return cluster.tags.get(settings.replaced_tag) or cluster.tags.get(settings.operation_tag, "")


def _is_over(context: Context, cluster: Cluster) -> bool:
    try:
        return parse_iso(cluster.tags[context.settings.expires_tag]) <= context.clock.now()
    except ValueError:
        context.logger.warning("expiry cannot be read", extra={"cluster": cluster.cluster_id})
        return False


def _is_known(operation: Operation, cluster: Cluster) -> bool:
    """Whether the operation's journal says that this very cluster stands beside the target under this very name."""
    if not operation.plan or cluster.cluster_id == operation.plan["target"]["cluster"]:
        return False
    moves, _ = journalled(operation)
    restored = operation.entry(RESTORED)
    put_aside = [(move.resource_id, move.new) for move in moves if move.kind is Kind.CLUSTER]
    side_by_side = (str(restored.get("cluster_resource_id")), str(restored.get("cluster_id")))
    return (cluster.resource_id, cluster.cluster_id) in (put_aside or [side_by_side])

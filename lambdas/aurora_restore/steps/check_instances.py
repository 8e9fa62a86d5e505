"""CheckInstances: are all instances available? Then the cluster gets what its restore could not carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.aws.rds_types import ADVANCED, FIFTEEN_MONTHS, FORWARDING, Cluster
from aurora_restore.context import Context
from aurora_restore.errors import InstanceFailed, ResourceBusy, RestoreFailed
from aurora_restore.steps.progress import finished, require_lock, require_own, waiting

# RDS User Guide, "Viewing Amazon RDS DB instance status": what a new instance does not leave by itself.
FAILED = frozenset(
    {
        "deleting",
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-create",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "insufficient-capacity",
        "restore-error",
        "storage-full",
    }
)


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """`status` by instance, and `done`. Raises InstanceFailed, RestoreFailed, LockLost, NameTaken or WaitTimedOut."""
    plan, instances = document["plan"], document["instances"]
    found = {item.instance_id: item.status for item in context.rds.cluster_instances(plan["restore"]["cluster_id"])}
    status = {name: found.get(name, "missing") for name in instances["instance_ids"]}
    broken = [f"{name} is {state}" for name, state in status.items() if state in FAILED or state == "missing"]
    if broken:
        raise InstanceFailed(f"The new cluster's instances cannot be used: {'; '.join(broken)}.")
    since = int(instances["since"])
    seen = {**instances, "status": status}
    if all(state == "available" for state in status.values()):
        if _settled(context, plan):
            return {**seen, **finished(context, since)}
        what = f"cluster {plan['restore']['cluster_id']}, which takes no change of its settings yet"
    else:
        what = "; ".join(f"{name} ({state})" for name, state in status.items() if state != "available")
    return {**seen, **waiting(context, plan, what, since=since, phase="instances")}


def settle(context: Context, plan: Mapping[str, Any], cluster: Cluster) -> None:
    """Give a cluster with its instances what of `plan.restore` no restore takes and it lacks. Raises ResourceBusy."""
    if wanted := changes(plan, cluster):
        context.rds.modify_cluster(cluster.cluster_id, **wanted)
    if plan["restore"].get("http_endpoint") and not cluster.raw.get("HttpEndpointEnabled"):
        context.rds.enable_http_endpoint(cluster.arn)


def changes(plan: Mapping[str, Any], cluster: Cluster) -> dict[str, Any]:
    """What the cluster lacks that ModifyDBCluster sets and no restore takes, as that call takes it.

    Database Insights is a matter of the cluster, but asks for Performance Insights on every instance, which the restore
    calls take for Limitless clusters only.
    """
    restore, first = plan["restore"], plan["instances"][0]
    wanted: dict[str, Any] = {}
    if restore.get("database_insights") == ADVANCED and cluster.raw.get("DatabaseInsightsMode") != ADVANCED:
        wanted = {
            "DatabaseInsightsMode": ADVANCED,
            "EnablePerformanceInsights": True,
            "PerformanceInsightsKMSKeyId": first["performance_insights_kms_key_id"],
            "PerformanceInsightsRetentionPeriod": first["performance_insights_retention_days"] or FIFTEEN_MONTHS,
        }
    if restore.get("local_write_forwarding") and cluster.raw.get("LocalWriteForwardingStatus") not in FORWARDING:
        wanted["EnableLocalWriteForwarding"] = True
    return {name: value for name, value in wanted.items() if value is not None}


def _settled(context: Context, plan: Mapping[str, Any]) -> bool:
    """Set what is missing, before the swap: a refusal still leaves the target alone. False where AWS is not ready yet.

    A plan that was made by older code knows none of these settings.
    """
    restore = plan["restore"]
    later = (restore.get("http_endpoint"), restore.get("local_write_forwarding"))
    if not any(later) and restore.get("database_insights") != ADVANCED:
        return True
    require_lock(context, plan)
    cluster = context.rds.find_cluster(restore["cluster_id"])
    if cluster is None:
        raise RestoreFailed(f"Cluster {restore['cluster_id']} vanished.")
    require_own(context, cluster.tags, plan["operation_id"], f"Cluster {cluster.cluster_id}")
    try:
        settle(context, plan, cluster)
    except ResourceBusy as error:
        context.logger.info("the settings have to wait", extra={"reason": error.message})
        return False
    return True

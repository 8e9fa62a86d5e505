"""CreateInstances: a restored cluster has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.aws.rds_types import tags_to_api
from aurora_restore.context import Context
from aurora_restore.errors import InstanceFailed, ResourceExists
from aurora_restore.steps.progress import require_lock, require_own, waiting

STEP = "CreateInstances"


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Create the planned instances that are not there yet; the first becomes the writer."""
    plan = document["plan"]
    require_lock(context, plan)
    cluster_id = plan["restore"]["cluster_id"]
    ids = [planned["id"] for planned in plan["instances"]]
    context.store.journal(plan["operation_id"], STEP, {"instance_ids": ids, "phase": "intended"})
    existing = {instance.instance_id for instance in context.rds.cluster_instances(cluster_id)}
    for planned in plan["instances"]:
        if planned["id"] not in existing:
            _create(context, plan, planned)
    context.store.journal(plan["operation_id"], STEP, {"instance_ids": ids, "phase": "made"})
    return {
        "instance_ids": ids,
        **waiting(context, plan, f"the instances of {cluster_id}", since=context.now(), phase="instances"),
    }


def arguments(plan: Mapping[str, Any], planned: Mapping[str, Any]) -> dict[str, Any]:
    """One of `plan.instances` as CreateDBInstance takes it."""
    given = {
        "DBInstanceIdentifier": planned["id"],
        "DBClusterIdentifier": plan["restore"]["cluster_id"],
        "Engine": plan["restore"]["engine"],
        "DBInstanceClass": planned["class"],
        "PromotionTier": planned["tier"],
        "DBParameterGroupName": planned["parameter_group"],
        "PubliclyAccessible": planned["publicly_accessible"],
        "AutoMinorVersionUpgrade": planned["auto_minor_version_upgrade"],
        "CopyTagsToSnapshot": planned["copy_tags_to_snapshot"],
        "PreferredMaintenanceWindow": planned["maintenance_window"],
        "MonitoringInterval": planned["monitoring_interval"],
        "MonitoringRoleArn": planned["monitoring_role_arn"],
        "EnablePerformanceInsights": planned["performance_insights"],
        "PerformanceInsightsKMSKeyId": planned["performance_insights_kms_key_id"],
        "PerformanceInsightsRetentionPeriod": planned["performance_insights_retention_days"],
        "CACertificateIdentifier": planned["ca_certificate"],
        "Tags": tags_to_api(plan["instance_tags"][planned["tags"]]),
    }
    return {name: value for name, value in given.items() if value is not None}


def _create(context: Context, plan: Mapping[str, Any], planned: Mapping[str, Any]) -> None:
    try:
        context.rds.create_instance(**arguments(plan, planned))
    except ResourceExists as error:  # a call whose answer was lost, or somebody else's instance
        found = context.rds.find_instance(planned["id"])
        if found is None:
            raise InstanceFailed(f"Instance {planned['id']} appeared and vanished.") from error
        require_own(context, found.tags, plan["operation_id"], f"Instance {found.instance_id}")

"""The topology of the new cluster: mirrored from the target, every value with its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aurora_restore import identifiers
from aurora_restore.aws.rds_types import Cluster, Instance, own_tags
from aurora_restore.settings import Settings

if TYPE_CHECKING:  # the schema of requests would be a fifth of the cold start of steps that only need the rest here
    from aurora_restore.planning.sources import Found
    from aurora_restore.request import Instances

TARGET, REQUEST, PIPELINE = "target", "request", "pipeline"


def mirror_cluster(
    settings: Settings,
    operation_id: str,
    target: Cluster,
    source: Found,
    key: str | None,
    key_origin: str,
    wanted: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, str]]:
    """`plan.restore`, and for each of its keys where the value came from; `wanted` is the request's `cluster`."""
    mirrored = {**_cluster_settings(target), "tags": _tags(settings, operation_id, target.tags)}
    origins = {
        **dict.fromkeys(mirrored, TARGET),
        **dict.fromkeys(wanted, REQUEST),
        "cluster_id": PIPELINE,
        "engine": source.origin,
        # Without EngineVersion RDS takes the region's default; one older than the snapshot's is refused.
        "engine_version": source.origin,
        "kms_key_id": key_origin,
    }
    restore = {
        "cluster_id": identifiers.new_cluster(target.cluster_id, operation_id),
        "engine": source.engine,
        "engine_version": source.engine_version,
        "kms_key_id": key,
        **mirrored,
        **wanted,
    }
    return restore, origins


def mirror_instances(
    settings: Settings, operation_id: str, target: Cluster, existing: Sequence[Instance], wanted: Instances
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """`plan.instances`, the future writer first, and their origins; `existing` has the target's writer first.

    `replaces` is the target's instance whose name the new one takes in the swap. Beyond the target's own number the
    last one is repeated.
    """
    tiers = {member.instance_id: member.promotion_tier for member in target.members}
    planned = []
    for number in range(1, (wanted.count or len(existing)) + 1):
        model = existing[min(number, len(existing)) - 1]
        planned.append(
            {
                "id": identifiers.new_instance(target.cluster_id, operation_id, number),
                "class": wanted.instance_class or model.instance_class,
                "tier": tiers.get(model.instance_id, 1),
                "replaces": model.instance_id if number <= len(existing) else None,
                **_instance_settings(model.raw),
                "tags": _tags(settings, operation_id, model.tags),
            }
        )
    origins = {
        "instances.count": REQUEST if wanted.count else TARGET,
        "instances.class": REQUEST if wanted.instance_class else TARGET,
        "instances.*": TARGET,
    }
    return planned, origins


def mirror_back(
    settings: Settings, operation_id: str, target: Cluster, existing: Sequence[Instance], snapshot_id: str
) -> dict[str, Any]:
    """What it takes to make the target again from its own snapshot, in the shape of a plan: `restore` and `instances`.

    Under its own names and tags. The tag `restored-by` says which operation did it, and keeps every undo away from it.
    """
    marks = {settings.restored_tag: operation_id}
    secret = target.raw.get("MasterUserSecret")
    tiers = {member.instance_id: member.promotion_tier for member in target.members}
    restore = {
        "api": "RestoreDBClusterFromSnapshot",
        "cluster_id": target.cluster_id,
        "snapshot_id": snapshot_id,
        "engine": target.engine,
        "engine_version": target.engine_version,
        "kms_key_id": target.kms_key_id,
        **_cluster_settings(target),
        "managed_master": {"kms_key_id": secret.get("KmsKeyId")} if secret else None,
        "tags": {**_kept_tags(settings, target.tags), **marks},
    }
    instances = [
        {
            "id": instance.instance_id,
            "class": instance.instance_class,
            "tier": tiers.get(instance.instance_id, 1),
            **_instance_settings(instance.raw),
            "tags": {**_kept_tags(settings, instance.tags), **marks},
        }
        for instance in existing
    ]
    return {"restore": restore, "instance_tags": share_tags(instances), "instances": instances}


def share_tags(planned: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """`plan.instance_tags`: each different set of tags once; `tags` of an instance becomes the number of its set.

    Instances mostly carry the same tags, and fifty of them on each of sixteen would fill the document of an execution.
    """
    sets: list[dict[str, str]] = []
    for instance in planned:
        if instance["tags"] not in sets:
            sets.append(instance["tags"])
        instance["tags"] = sets.index(instance["tags"])
    return sets


def _cluster_settings(target: Cluster) -> dict[str, Any]:
    raw = target.raw
    return {
        "port": target.port,
        "subnet_group": raw.get("DBSubnetGroup"),
        "security_group_ids": [group["VpcSecurityGroupId"] for group in raw.get("VpcSecurityGroups", [])],
        "parameter_group": raw.get("DBClusterParameterGroup"),
        "iam_authentication": bool(raw.get("IAMDatabaseAuthenticationEnabled")),
        "log_exports": list(raw.get("EnabledCloudwatchLogsExports") or []),
        "copy_tags_to_snapshot": bool(raw.get("CopyTagsToSnapshot")),
        "serverless_scaling": _scaling(raw.get("ServerlessV2ScalingConfiguration")),
        "storage_type": raw.get("StorageType"),
        "network_type": raw.get("NetworkType"),
        "backup_retention_days": raw.get("BackupRetentionPeriod"),
        "backup_window": raw.get("PreferredBackupWindow"),
        "maintenance_window": raw.get("PreferredMaintenanceWindow"),
        "deletion_protection": target.deletion_protection,
    }


def _instance_settings(raw: Mapping[str, Any]) -> dict[str, Any]:
    groups = raw.get("DBParameterGroups") or [{}]
    insights = bool(raw.get("PerformanceInsightsEnabled"))
    return {
        "parameter_group": groups[0].get("DBParameterGroupName"),
        "publicly_accessible": bool(raw.get("PubliclyAccessible")),
        "auto_minor_version_upgrade": bool(raw.get("AutoMinorVersionUpgrade")),
        "copy_tags_to_snapshot": bool(raw.get("CopyTagsToSnapshot")),
        "maintenance_window": raw.get("PreferredMaintenanceWindow"),
        "monitoring_interval": raw.get("MonitoringInterval") or 0,
        "monitoring_role_arn": raw.get("MonitoringRoleArn"),
        "performance_insights": insights,
        "performance_insights_kms_key_id": raw.get("PerformanceInsightsKMSKeyId") if insights else None,
        "performance_insights_retention_days": raw.get("PerformanceInsightsRetentionPeriod") if insights else None,
        "ca_certificate": raw.get("CACertificateIdentifier"),
    }


def _scaling(raw: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Serverless v2: capacity in ACUs, auto-pause in seconds (only valid when the minimum is 0)."""
    if not raw:
        return None
    scaling = {"MinCapacity": raw.get("MinCapacity"), "MaxCapacity": raw.get("MaxCapacity")}
    if raw.get("SecondsUntilAutoPause"):
        scaling["SecondsUntilAutoPause"] = raw["SecondsUntilAutoPause"]
    return {key: value for key, value in scaling.items() if value is not None}


def _tags(settings: Settings, operation_id: str, tags: Mapping[str, str]) -> dict[str, str]:
    """The target's tags, the opt-in included, under this operation's name; earlier operations' notes stay behind."""
    return {**_kept_tags(settings, tags), settings.operation_tag: operation_id}


def _kept_tags(settings: Settings, tags: Mapping[str, str]) -> dict[str, str]:
    notes = (settings.expires_tag, settings.operation_tag, settings.restored_tag, settings.replaced_tag)
    return {key: value for key, value in own_tags(tags).items() if key not in notes}

"""The topology of the new cluster: mirrored from the target, every value with its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aurora_restore import identifiers
from aurora_restore.aws.rds_types import ADVANCED, FIFTEEN_MONTHS, FORWARDING, Cluster, Instance, own_tags
from aurora_restore.errors import InvalidRequest
from aurora_restore.settings import Settings

if TYPE_CHECKING:  # the schema of requests would be a fifth of the cold start of steps that only need the rest here
    from aurora_restore.planning.sources import Found
    from aurora_restore.request import Instances

TARGET, REQUEST, PIPELINE = "target", "request", "pipeline"
_INSIGHTS = ("performance_insights", "performance_insights_kms_key_id", "performance_insights_retention_days")


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
    mirrored = _cluster_settings(target)
    more_tags = wanted.get("tags", {})
    origins = {
        **dict.fromkeys(mirrored, TARGET),
        **dict.fromkeys(wanted, REQUEST),
        "tags": _origin_of_tags(more_tags),
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
        "tags": _tags(settings, operation_id, {**target.tags, **more_tags}),
    }
    return restore, origins


def mirror_instances(
    settings: Settings, operation_id: str, target: Cluster, existing: Sequence[Instance], wanted: Instances
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """`plan.instances`, the future writer first, and their origins; `existing` has the target's writer first.

    `replaces` is the target's instance whose name the new one takes in the swap. Beyond the target's own number the
    last one is repeated. An origin is that of all instances (`instances.class`) or of one (`instances.2.class`).
    """
    tiers = {member.instance_id: member.promotion_tier for member in target.members}
    planned = []
    origins = {"instances.count": REQUEST if wanted.count else TARGET, "instances.*": TARGET}
    origins |= {"instances.id": PIPELINE, "instances.replaces": PIPELINE}
    origins |= {f"instances.{name}": REQUEST for name in wanted.every if name != "tags"}
    for number in range(1, (wanted.count or len(existing)) + 1):
        model = existing[min(number, len(existing)) - 1]
        own = wanted.of(number)
        planned.append(
            {
                "id": identifiers.new_instance(target.cluster_id, operation_id, number),
                "class": model.instance_class,
                "tier": tiers.get(model.instance_id, 1),
                "replaces": model.instance_id if number <= len(existing) else None,
                **_with_insights({**_instance_settings(model.raw), **own}),
                "tags": _tags(settings, operation_id, {**model.tags, **own["tags"]}),
            }
        )
        members = wanted.members[number - 1] if number <= len(wanted.members) else {}
        origins |= {f"instances.{number}.{name}": REQUEST for name in members if name != "tags"}
        if own["tags"]:
            origins[f"instances.{number}.tags"] = _origin_of_tags(own["tags"])
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


def require_sound(
    settings: Settings,
    wanted: Mapping[str, Any],
    wanted_instances: Instances,
    restore: Mapping[str, Any],
    planned: Sequence[Mapping[str, Any]],
) -> None:
    """Raise InvalidRequest with everything that RDS would refuse only after the cluster is restored."""
    found = []
    scaling = restore["serverless_scaling"]
    if any(instance["class"] == "db.serverless" for instance in planned) and not scaling:
        found.append("instances: db.serverless needs cluster.serverless_scaling, for the target has none")
    asked = {*wanted, *wanted_instances.every, *(name for one in wanted_instances.members for name in one)}
    chosen = asked & {"database_insights", *_INSIGHTS}
    if chosen and restore["database_insights"] == ADVANCED and not _all_keep_insights(planned):
        found.append(
            f"instances: Database Insights is {ADVANCED}, so every instance needs performance_insights, alike and with "
            f"performance_insights_retention_days of at least {FIFTEEN_MONTHS}; or give cluster.database_insights"
        )
    prefix = f"{settings.name_prefix}:"
    given = {"cluster": wanted.get("tags", {}), "instances": wanted_instances.every.get("tags", {})}
    given |= {f"instances.members.{number}": one.get("tags", {}) for number, one in enumerate(wanted_instances.members)}
    for where, tags in given.items():
        found += [f"{where}.tags: {name} is the pipeline's own" for name in sorted(tags) if name.startswith(prefix)]
    if found:
        raise InvalidRequest("The request does not fit the target: " + "; ".join(found) + ".")


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
        "backtrack_seconds": raw.get("BacktrackWindow") or None,
        "engine_lifecycle_support": raw.get("EngineLifecycleSupport"),
        "database_insights": raw.get("DatabaseInsightsMode"),
        "http_endpoint": bool(raw.get("HttpEndpointEnabled")),
        "local_write_forwarding": raw.get("LocalWriteForwardingStatus") in FORWARDING,
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


def _with_insights(planned: dict[str, Any]) -> dict[str, Any]:
    """Neither key nor retention without Performance Insights: RDS refuses them."""
    if planned["performance_insights"]:
        return planned
    return {**planned, "performance_insights_kms_key_id": None, "performance_insights_retention_days": None}


def _all_keep_insights(planned: Sequence[Mapping[str, Any]]) -> bool:
    kinds = {tuple(instance[name] for name in _INSIGHTS) for instance in planned}
    return len(kinds) == 1 and all(on and (days or 0) >= FIFTEEN_MONTHS for on, _, days in kinds)


def _scaling(raw: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Serverless v2: capacity in ACUs, auto-pause in seconds (only valid when the minimum is 0)."""
    if not raw:
        return None
    scaling = {"MinCapacity": raw.get("MinCapacity"), "MaxCapacity": raw.get("MaxCapacity")}
    if raw.get("SecondsUntilAutoPause"):
        scaling["SecondsUntilAutoPause"] = raw["SecondsUntilAutoPause"]
    return {key: value for key, value in scaling.items() if value is not None}


def _origin_of_tags(more: Mapping[str, str]) -> str:
    """The operation's own tag comes with every origin."""
    return f"{TARGET} and {REQUEST}" if more else TARGET


def _tags(settings: Settings, operation_id: str, tags: Mapping[str, str]) -> dict[str, str]:
    """The target's tags, the opt-in included, under this operation's name; earlier operations' notes stay behind."""
    return {**_kept_tags(settings, tags), settings.operation_tag: operation_id}


def _kept_tags(settings: Settings, tags: Mapping[str, str]) -> dict[str, str]:
    notes = (settings.expires_tag, settings.operation_tag, settings.restored_tag, settings.replaced_tag)
    return {key: value for key, value in own_tags(tags).items() if key not in notes}

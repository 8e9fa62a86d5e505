"""CreateDBInstance, DescribeDBInstances, DeleteDBInstance, RebootDBInstance: members of Aurora clusters only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .. import attributes, listing, rules, timing, views
from ..catalogue import INSTANCE_CLASSES, check_engine, default_cluster_group
from ..clock import now
from ..errors import RdsError, invalid_combination
from ..model import Attributes, Cluster, Instance, Realm, resource_id
from ..world import Change
from .registry import Call, action

_CERTIFICATE_END = datetime(2061, 5, 25, tzinfo=UTC)


@action("CreateDBInstance")
def create_instance(call: Call) -> dict[str, Any]:
    """A member of a cluster. The first one starts the cluster's server."""
    name = rules.free_instance_name(call.realm, rules.identifier(call["DBInstanceIdentifier"], "DBInstanceIdentifier"))
    if "DBClusterIdentifier" not in call.parameters:
        raise invalid_combination("The emulator offers instances of Aurora clusters only: give DBClusterIdentifier.")
    cluster = rules.available_cluster(rules.cluster(call.realm, call["DBClusterIdentifier"]))
    check_combination(call, cluster)
    rules.room_for_instance(call.realm)
    described = _attributes(call, cluster)
    instance = Instance(call.realm, name, described, tags=rules.new_tags(call.get("Tags")), cluster=cluster)
    call.realm.instances[name] = instance
    cluster.instances.append(instance)

    def finish() -> None:
        instance.status, instance.serving = "available", True
        call.world.publish(cluster)
        call.realm.record("db-instance", instance, "DB instance created")

    call.world.begin(Change(instance, timing.CREATE_INSTANCE, finish, lambda: call.world.start_database(cluster)))
    return {"DBInstance": views.instance(call.world, instance)}


def check_combination(call: Call, cluster: Cluster) -> None:
    """Raises RdsError for values that do not fit the cluster."""
    if check_engine(call["Engine"]) != cluster.engine:
        raise invalid_combination(
            f"The engine name requested for your DB instance ({call['Engine']}) doesn't match the engine "
            f"name of your DB cluster ({cluster.engine})."
        )
    if "MasterUserPassword" in call.parameters or "MasterUsername" in call.parameters:
        raise invalid_combination(
            "The requested DB Instance will be a member of a DB Cluster. Set master user for the DB Cluster."
        )
    check_class(call, cluster)


def check_class(call: Call, cluster: Cluster) -> None:
    """Raises RdsError InvalidParameterCombination for an instance class that the cluster cannot have."""
    wanted = call["DBInstanceClass"]
    if wanted not in INSTANCE_CLASSES:
        raise invalid_combination(
            f"RDS does not support creating a DB instance with the following combination: DBInstanceClass={wanted}, "
            f"Engine={cluster.engine}, EngineVersion={cluster.attributes['EngineVersion']}."
        )
    if wanted == "db.serverless" and not cluster.attributes.get("ServerlessV2ScalingConfiguration"):
        raise invalid_combination(
            "Set the Serverless v2 scaling configuration on the parent DB cluster before creating a "
            "Serverless v2 DB instance."
        )


def check_parameter_group(realm: Realm, name: str) -> list[Attributes]:
    """How an instance describes its parameter group. Raises RdsError DBParameterGroupNotFoundFault."""
    if not name.startswith("default.") and name.lower() not in realm.parameter_groups:
        raise RdsError("DBParameterGroupNotFoundFault", f"DBParameterGroup not found: {name}")
    return [{"DBParameterGroupName": name, "ParameterApplyStatus": "in-sync"}]


def _attributes(call: Call, cluster: Cluster) -> Attributes:
    owner = cluster.attributes
    zones = owner["AvailabilityZones"]
    described: Attributes = {
        "AutoMinorVersionUpgrade": True,
        "AvailabilityZone": zones[len(cluster.instances) % len(zones)],
        "CACertificateIdentifier": "rds-ca-rsa2048-g1",
        "CopyTagsToSnapshot": False,
        "DbInstancePort": 0,
        "DbiResourceId": resource_id("db"),
        "InstanceCreateTime": now(),
        "LicenseModel": "postgresql-license" if cluster.engine == "aurora-postgresql" else "general-public-license",
        "MonitoringInterval": 0,
        "PerformanceInsightsEnabled": False,
        "PreferredMaintenanceWindow": owner["PreferredMaintenanceWindow"],
        "PromotionTier": 1,
        "PubliclyAccessible": False,
        "DBSecurityGroups": [],
        "OptionGroupMemberships": [],
        "PendingModifiedValues": {},
        "AssociatedRoles": [],
        "ReadReplicaDBInstanceIdentifiers": [],
    }
    given = {
        key: value
        for key, value in call.parameters.items()
        if key not in ("DBSubnetGroupName", "Engine", "EngineVersion")
    }
    described |= attributes.from_request(given, "DBInstance")
    if not 0 <= described["PromotionTier"] <= 15:
        raise invalid_combination("PromotionTier must be between 0 and 15.")
    group = call.get("DBParameterGroupName") or default_cluster_group(cluster.engine, owner["EngineVersion"])
    described["DBParameterGroups"] = check_parameter_group(call.realm, group)
    described["CertificateDetails"] = {
        "CAIdentifier": described["CACertificateIdentifier"],
        "ValidTill": _CERTIFICATE_END,
    }
    if described["PerformanceInsightsEnabled"]:
        described.setdefault("PerformanceInsightsRetentionPeriod", 7)
    return described


@action("DescribeDBInstances")
def describe_instances(call: Call) -> dict[str, Any]:
    """One instance by identifier or ARN, or all."""
    name = call.get("DBInstanceIdentifier")
    found = [rules.instance(call.realm, name)] if name else sorted(call.realm.instances.values(), key=lambda i: i.name)
    found = listing.filtered(
        call,
        found,
        {
            "db-cluster-id": lambda i: (i.cluster.name, i.cluster.arn),
            "db-instance-id": lambda i: (i.name, i.arn),
            "dbi-resource-id": lambda i: (i.attributes["DbiResourceId"],),
            "engine": lambda i: (i.cluster.engine,),
            "domain": lambda i: (),
        },
    )
    return listing.page(call, found, "DBInstances", lambda instance: views.instance(call.world, instance))


@action("DeleteDBInstance")
def delete_instance(call: Call) -> dict[str, Any]:
    """Remove a member; with the last one the cluster's server stops."""
    instance = rules.instance(call.realm, call["DBInstanceIdentifier"])
    if call.get("FinalDBSnapshotIdentifier"):
        raise invalid_combination("FinalDBSnapshotIdentifier cannot be specified when deleting a cluster instance.")
    if instance.status in ("creating", "deleting", "renaming"):
        rules.available_instance(instance)
    cluster = instance.cluster
    instance.status, instance.serving = "deleting", False
    call.world.publish(cluster)

    def work() -> None:
        # Asked when it is done, not when it was called: another member may have come meanwhile.
        if all(member.status == "deleting" for member in cluster.instances):
            cluster.database.stop()

    def finish() -> None:
        del call.realm.instances[instance.name]
        cluster.instances.remove(instance)
        call.realm.record("db-instance", instance, "DB instance deleted")

    call.world.begin(Change(instance, timing.DELETE_INSTANCE, finish, work))
    return {"DBInstance": views.instance(call.world, instance)}


@action("RebootDBInstance")
def reboot_instance(call: Call) -> dict[str, Any]:
    """Restart a member; a writer's reboot restarts the server."""
    instance = rules.available_instance(rules.instance(call.realm, call["DBInstanceIdentifier"]))
    restart(call, instance, "rebooting", timing.REBOOT_INSTANCE, lambda: None)
    return {"DBInstance": views.instance(call.world, instance)}


def restart(call: Call, instance: Instance, status: str, seconds: float, apply: Any) -> None:
    """Take an instance away for a while; `apply` runs before it serves again."""
    cluster = instance.cluster
    instance.status, instance.serving = status, False
    call.world.publish(cluster)

    def work() -> None:
        cluster.database.stop()
        call.world.start_database(cluster)

    def finish() -> None:
        apply()
        instance.status, instance.serving = "available", True
        call.world.publish(cluster)
        call.realm.record("db-instance", instance, "DB instance restarted")

    call.world.begin(Change(instance, seconds, finish, work if instance.is_writer else None))

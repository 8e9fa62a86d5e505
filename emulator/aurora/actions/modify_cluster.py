"""ModifyDBCluster."""

from __future__ import annotations

from typing import Any

from .. import attributes, neighbours, rules, timing, views
from ..catalogue import check_upgrade, check_version
from ..errors import RdsError, invalid_combination
from ..model import Attributes, Cluster
from ..world import Change
from .clusters import managed_password
from .registry import Call, action


@action("ModifyDBCluster")
def modify_cluster(call: Call) -> dict[str, Any]:
    """Change attributes, the master password or who keeps it, the version, or the name."""
    cluster = rules.available_cluster(rules.cluster(call.realm, call["DBClusterIdentifier"]))
    new_name, password = _new_name(call), call.get("MasterUserPassword")
    if password is not None:
        rules.master_password(password)
        if call.get("ManageMasterUserPassword") or (
            "MasterUserSecret" in cluster.attributes and call.get("ManageMasterUserPassword") is not False
        ):
            raise invalid_combination(
                "You can't specify MasterUserPassword for a cluster whose password is managed in Secrets Manager."
            )
    changes = _changes(call, cluster)
    if not call.get("ApplyImmediately", False):
        _defer(call, cluster, changes, new_name, password)
        new_name = password = None
    sql = _password_sql(call, cluster, password)
    upgraded = changes.get("EngineVersion", cluster.attributes["EngineVersion"]) != cluster.attributes["EngineVersion"]
    port_moves = changes.get("Port", cluster.attributes["Port"]) != cluster.attributes["Port"]
    cluster.attributes |= changes
    cluster.claimed_name = new_name
    seconds = timing.MODIFY_CLUSTER
    if new_name:
        cluster.status, seconds = "renaming", timing.RENAME
    elif sql:
        cluster.status, seconds = "resetting-master-credentials", timing.RESET_CREDENTIALS
    elif upgraded:
        cluster.status = "upgrading"
    elif port_moves or "ServerlessV2ScalingConfiguration" in changes:
        cluster.status = "modifying"
    else:
        return {"DBCluster": views.cluster(call.world, cluster)}

    def finish() -> None:
        if new_name:
            _rename(call, cluster, new_name)
        call.world.publish(cluster)
        cluster.status = "available"

    work = None if sql is None else lambda: cluster.database.apply(sql)
    call.world.begin(Change(cluster, seconds, finish, work, failed_status="available"))
    return {"DBCluster": views.cluster(call.world, cluster)}


def _new_name(call: Call) -> str | None:
    if "NewDBClusterIdentifier" not in call.parameters:
        return None
    name = rules.identifier(call["NewDBClusterIdentifier"], "NewDBClusterIdentifier")
    if name == rules.last_part(call["DBClusterIdentifier"]):
        return None
    return rules.free_cluster_name(call.realm, name)


def _changes(call: Call, cluster: Cluster) -> Attributes:
    engine, current = cluster.engine, cluster.attributes
    changes = attributes.from_request(call.parameters, "DBCluster")
    if "EngineVersion" in changes:
        check_upgrade(engine, current["EngineVersion"], check_version(engine, changes["EngineVersion"]))
    if "DBClusterParameterGroup" in changes:
        version = changes.get("EngineVersion") or current["EngineVersion"]
        attributes.check_cluster_group(call.realm, changes["DBClusterParameterGroup"], engine, version)
    if "Port" in changes:
        rules.port(changes["Port"])
    if "VpcSecurityGroupIds" in call.parameters:
        neighbours.check_security_groups(call.realm, call["VpcSecurityGroupIds"])
        changes["VpcSecurityGroups"] = attributes.security_groups(call["VpcSecurityGroupIds"])
    if "CloudwatchLogsExportConfiguration" in call.parameters:
        exports = current.get("EnabledCloudwatchLogsExports", [])
        changes["EnabledCloudwatchLogsExports"] = attributes.export_changes(
            exports, call["CloudwatchLogsExportConfiguration"]
        )
    if "EnableLocalWriteForwarding" in call.parameters:
        changes["LocalWriteForwardingStatus"] = "enabled" if call["EnableLocalWriteForwarding"] else "disabled"
    if changes.get("DatabaseInsightsMode") == "advanced":
        _check_insights(cluster, changes)
    if scaling := changes.get("ServerlessV2ScalingConfiguration"):
        changes["ServerlessV2ScalingConfiguration"] = current.get("ServerlessV2ScalingConfiguration", {}) | scaling
        attributes.check_scaling(changes["ServerlessV2ScalingConfiguration"])
    return changes


def _check_insights(cluster: Cluster, changes: Attributes) -> None:
    """Raises RdsError for an advanced mode without what it asks for (API reference, DatabaseInsightsMode)."""
    kept = changes.get("PerformanceInsightsRetentionPeriod", 0)
    if not changes.get("PerformanceInsightsEnabled") or kept < 465:
        raise invalid_combination(
            "To enable the Advanced mode of Database Insights, turn Performance Insights on and keep it for 465 days."
        )
    for member in cluster.instances:
        member.attributes["DatabaseInsightsMode"] = "advanced"


@action("EnableHttpEndpoint")
def enable_http_endpoint(call: Call) -> dict[str, Any]:
    """Turn the Data API on: the flag alone, nothing answers there."""
    cluster = rules.cluster(call.realm, call["ResourceArn"])
    if cluster.status != "available":
        raise RdsError("InvalidResourceStateFault", f"The cluster {cluster.name} is {cluster.status}.")
    cluster.attributes["HttpEndpointEnabled"] = True
    return {"ResourceArn": cluster.arn, "HttpEndpointEnabled": True}


def _defer(call: Call, cluster: Cluster, changes: Attributes, new_name: str | None, password: str | None) -> None:
    """Note what waits for the maintenance window without ApplyImmediately; the emulator never reaches that window."""
    if new_name:
        cluster.pending["DBClusterIdentifier"] = new_name
    if password:
        cluster.pending["MasterUserPassword"] = "****"
    if "EnableIAMDatabaseAuthentication" in call.parameters:
        cluster.pending["IAMDatabaseAuthenticationEnabled"] = changes.pop("IAMDatabaseAuthenticationEnabled")
    if "EngineVersion" in changes and changes["EngineVersion"] != cluster.attributes["EngineVersion"]:
        cluster.pending["EngineVersion"] = changes.pop("EngineVersion")


def _password_sql(call: Call, cluster: Cluster, password: str | None) -> str | None:
    username = cluster.attributes["MasterUsername"]
    secret = cluster.attributes.get("MasterUserSecret")
    managed = call.get("ManageMasterUserPassword")
    if managed and secret is None:
        password = managed_password(call, cluster, username)
    elif call.get("RotateMasterUserPassword"):
        if secret is None:
            raise invalid_combination("You can rotate the master user password only where Secrets Manager keeps it.")
        password = neighbours.rotate_master_secret(call.realm, secret["SecretArn"], username)
    elif managed is False and secret is not None:
        if password is None:
            raise invalid_combination(
                "You must specify MasterUserPassword when you set ManageMasterUserPassword to false."
            )
        neighbours.delete_master_secret(call.realm, cluster.attributes.pop("MasterUserSecret")["SecretArn"])
    return None if password is None else cluster.database.engine.password_sql(username, password)


def _rename(call: Call, cluster: Cluster, name: str) -> None:
    old = cluster.name
    del call.realm.clusters[old]
    cluster.name, cluster.claimed_name = name, None
    call.realm.clusters[name] = cluster
    call.realm.record("db-cluster", cluster, f"Renamed cluster from {old} to {name}")

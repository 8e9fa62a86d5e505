"""From the parameters of a request to the attributes that AWS describes, and the defaults AWS fills in."""

from __future__ import annotations

import hashlib
from typing import Any

from . import neighbours, rules
from .catalogue import DEFAULT_PORTS, default_cluster_group
from .errors import RdsError, invalid_combination
from .model import Attributes, Realm
from .protocol import service_model

# Where a parameter and the attribute it sets differ in name.
_RENAMED = {
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "EnableCloudwatchLogsExports": "EnabledCloudwatchLogsExports",
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "EnableHttpEndpoint": "HttpEndpointEnabled",
    "DBSubnetGroupName": "DBSubnetGroup",
    "DBClusterParameterGroupName": "DBClusterParameterGroup",
}
# Members of both the request and the description that mean different things, or are set elsewhere.
_NOT_ATTRIBUTES = frozenset(
    {"Tags", "TagList", "DBClusterIdentifier", "DBInstanceIdentifier", "DBParameterGroups", "KmsKeyId"}
)


def from_request(parameters: dict[str, Any], shape: str) -> Attributes:
    """Those parameters that are attributes of `shape`, under the attributes' names."""
    members = service_model().shape_for(shape).members
    found = {_RENAMED.get(name, name): value for name, value in parameters.items() if name not in _NOT_ATTRIBUTES}
    return {name: value for name, value in found.items() if name in members}


def export_changes(current: list[str], change: dict[str, list[str]]) -> list[str]:
    """Log exports after a CloudwatchLogsExportConfiguration."""
    kept = [kind for kind in current if kind not in change.get("DisableLogTypes", [])]
    return kept + [kind for kind in change.get("EnableLogTypes", []) if kind not in kept]


def security_groups(ids: list[str]) -> list[dict[str, str]]:
    """How a resource describes its security groups."""
    return [{"VpcSecurityGroupId": name, "Status": "active"} for name in ids]


def new_cluster(realm: Realm, parameters: dict[str, Any], engine: str, version: str) -> Attributes:
    """All attributes of a cluster that is created or restored with `parameters`; encryption is the caller's.

    Raises RdsError for groups that do not exist and for values that AWS refuses.
    """
    attributes: Attributes = {
        "AllocatedStorage": 1,
        "BackupRetentionPeriod": 1,
        "CopyTagsToSnapshot": False,
        "CrossAccountClone": False,
        "DeletionProtection": False,
        "EngineMode": "provisioned",
        "EngineLifecycleSupport": "open-source-rds-extended-support",
        "HttpEndpointEnabled": False,
        "IAMDatabaseAuthenticationEnabled": False,
        "MultiAZ": False,
        "NetworkType": "IPV4",
        "Port": DEFAULT_PORTS[engine],
        "PreferredBackupWindow": "03:00-03:30",
        "PreferredMaintenanceWindow": "sun:05:00-sun:05:30",
        "StorageType": "aurora",
        "AutoMinorVersionUpgrade": True,
        "DatabaseInsightsMode": "standard",
        "PerformanceInsightsEnabled": False,
        "AssociatedRoles": [],
        "ReadReplicaIdentifiers": [],
        "DBClusterParameterGroup": default_cluster_group(engine, version),
        "DBSubnetGroup": "default",
        "HostedZoneId": "Z" + hashlib.sha256(realm.region.encode()).hexdigest()[:13].upper(),
        "AvailabilityZones": [f"{realm.region}{zone}" for zone in "abc"],
    }
    attributes |= from_request(parameters, "DBCluster") | {"Engine": engine, "EngineVersion": version}
    rules.port(attributes["Port"])
    vpc_id = _subnet_group_vpc(realm, attributes["DBSubnetGroup"])
    check_cluster_group(realm, attributes["DBClusterParameterGroup"], engine, version)
    groups = parameters.get("VpcSecurityGroupIds") or neighbours.default_security_group(realm, vpc_id)
    neighbours.check_security_groups(realm, groups)
    attributes["VpcSecurityGroups"] = security_groups(groups)
    check_scaling(attributes.get("ServerlessV2ScalingConfiguration"))
    return attributes


def check_scaling(configuration: dict[str, float] | None) -> None:
    """Raises RdsError InvalidParameterCombination for Serverless v2 limits that AWS refuses."""
    if configuration is None:
        return
    low, high = configuration.get("MinCapacity"), configuration.get("MaxCapacity")
    if low is None or high is None or not 0 <= low <= high or not 1 <= high <= 256 or (low * 2) % 1 or (high * 2) % 1:
        raise invalid_combination(
            "Serverless v2 capacity is not valid: MinCapacity 0 to 256 and MaxCapacity 1 to 256, in half steps."
        )


def check_cluster_group(realm: Realm, name: str, engine: str, version: str) -> None:
    """Raises RdsError for a cluster parameter group that is missing or of another family."""
    default = default_cluster_group(engine, version)
    if name == default:
        return
    group = realm.cluster_parameter_groups.get(name.lower())
    if group is None:
        raise RdsError("DBClusterParameterGroupNotFoundFault", f"DBClusterParameterGroup not found: {name}")
    family = default.removeprefix("default.")
    if group.attributes["DBParameterGroupFamily"] != family:
        raise invalid_combination(
            f"The Parameter Group {name} with DBParameterGroupFamily {group.attributes['DBParameterGroupFamily']} "
            f"can't be used for this cluster. Please use a Parameter Group with DBParameterGroupFamily {family}"
        )


def _subnet_group_vpc(realm: Realm, name: str) -> str | None:
    """The VPC of a subnet group; `default` exists wherever a default VPC does."""
    if name in realm.subnet_groups:
        return str(realm.subnet_groups[name].attributes["VpcId"])
    default = neighbours.subnets(realm) if name == "default" else []
    if not default:
        raise RdsError("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.")
    return str(default[0]["VpcId"])

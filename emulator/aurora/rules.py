"""AWS's rules for names, passwords, states and quotas: checked, with AWS's own error codes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .errors import RdsError, invalid_combination, invalid_value
from .model import Cluster, Instance, Realm, Snapshot

_IDENTIFIER = re.compile(r"[a-z](-?[a-z0-9])*", re.IGNORECASE)
_RESERVED_PER_ENGINE = {"aurora-postgresql": frozenset({"admin"}), "aurora-mysql": frozenset({"root", "mysql"})}


def identifier(value: str, what: str, limit: int = 63) -> str:
    """A valid new name, in lower case as AWS stores it. Raises RdsError InvalidParameterValue."""
    if len(value) > limit or not _IDENTIFIER.fullmatch(value):
        raise invalid_value(
            f"The parameter {what} is not a valid identifier. Identifiers must begin with a letter; must contain only "
            "ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
        )
    return value.lower()


def master_password(value: str) -> str:
    """A password that AWS accepts. Raises RdsError InvalidParameterValue, which never shows it."""
    if not 8 <= len(value) <= 41:
        raise invalid_value(
            "The parameter MasterUserPassword is not a valid password because it is shorter than 8 or longer "
            "than 41 characters."
        )
    if any(character in '/"@ ' or not character.isprintable() or not character.isascii() for character in value):
        raise invalid_value(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides "
            "'/', '@', '\"', ' ' may be used."
        )
    return value


def master_username(value: str, engine: str) -> str:
    """A user name that the engine allows. Raises RdsError InvalidParameterValue."""
    if value.lower() in {"rdsadmin", "rds_superuser"} | _RESERVED_PER_ENGINE[engine]:
        raise invalid_value(f"MasterUsername {value} cannot be used as it is a reserved word used by the engine")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", value):
        raise invalid_value(
            "The parameter MasterUsername must begin with a letter and contain only alphanumeric characters."
        )
    return value


def port(value: int) -> int:
    """A port that clusters may use. Raises RdsError InvalidParameterValue."""
    if not 1150 <= value <= 65535:
        raise invalid_value(f"Invalid port {value}: valid values are 1150-65535.")
    return value


def last_part(value: str) -> str:
    """The identifier in an identifier or ARN."""
    return value.rsplit(":", 1)[-1].lower()


def cluster(realm: Realm, name: str) -> Cluster:
    """An existing cluster by identifier or ARN. Raises RdsError DBClusterNotFoundFault."""
    found = realm.clusters.get(last_part(name))
    if found is None:
        raise RdsError("DBClusterNotFoundFault", f"DBCluster {name} not found.")
    return found


def instance(realm: Realm, name: str) -> Instance:
    """An existing instance by identifier or ARN. Raises RdsError DBInstanceNotFoundFault."""
    found = realm.instances.get(last_part(name))
    if found is None:
        raise RdsError("DBInstanceNotFoundFault", f"DBInstance {name} not found.")
    return found


def snapshot(realm: Realm, name: str) -> Snapshot:
    """An existing snapshot of this realm. Raises RdsError DBClusterSnapshotNotFoundFault."""
    # An automated snapshot's id, rds:<name>, has a colon of its own.
    found = realm.snapshots.get(name.split(":cluster-snapshot:")[-1].lower())
    if found is None:
        raise RdsError("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot {name} not found.")
    return found


def available_cluster(found: Cluster) -> Cluster:
    """Raises RdsError InvalidDBClusterStateFault unless the cluster can be worked on."""
    if found.status != "available":
        raise RdsError(
            "InvalidDBClusterStateFault",
            f"DBCluster {found.name} is not in the available state: its status is {found.status}.",
        )
    return found


def available_instance(found: Instance) -> Instance:
    """Raises RdsError InvalidDBInstanceStateFault unless the instance can be worked on."""
    if found.status != "available":
        raise RdsError(
            "InvalidDBInstanceStateFault", f"Instance {found.name} is not in available state: it is {found.status}."
        )
    return found


def available_snapshot(found: Snapshot) -> Snapshot:
    """Raises RdsError InvalidDBClusterSnapshotStateFault unless the snapshot is complete."""
    if found.status != "available":
        raise RdsError(
            "InvalidDBClusterSnapshotStateFault",
            f"DBClusterSnapshot {found.name} is not in the available state: its status is {found.status}.",
        )
    return found


def free_cluster_name(realm: Realm, name: str) -> str:
    """Raises RdsError DBClusterAlreadyExistsFault for a name that is taken or about to be."""
    if name in realm.clusters or any(other.claimed_name == name for other in realm.clusters.values()):
        raise RdsError("DBClusterAlreadyExistsFault", f"DB Cluster already exists: {name}")
    return name


def free_instance_name(realm: Realm, name: str) -> str:
    """Raises RdsError DBInstanceAlreadyExistsFault for a name that is taken or about to be."""
    if name in realm.instances or any(other.claimed_name == name for other in realm.instances.values()):
        raise RdsError("DBInstanceAlreadyExistsFault", f"DB instance already exists: {name}")
    return name


def new_snapshot_name(realm: Realm, value: str) -> str:
    """A valid and free name for a manual snapshot. Raises RdsError."""
    name = identifier(value, "DBClusterSnapshotIdentifier", 255)
    if name in realm.snapshots:
        raise RdsError("DBClusterSnapshotAlreadyExistsFault", f"DB Cluster Snapshot already exists: {name}")
    if sum(other.is_manual for other in realm.snapshots.values()) >= realm.quotas["ManualClusterSnapshots"]:
        raise RdsError(
            "SnapshotQuotaExceededFault", "Cannot create more than the allowed number of manual cluster snapshots"
        )
    return name


def room_for_cluster(realm: Realm) -> None:
    """Raises RdsError DBClusterQuotaExceededFault."""
    if len(realm.clusters) >= realm.quotas["DBClusters"]:
        raise RdsError("DBClusterQuotaExceededFault", "DB Cluster quota exceeded")


def room_for_instance(realm: Realm) -> None:
    """Raises RdsError InstanceQuotaExceededFault."""
    if len(realm.instances) >= realm.quotas["DBInstances"]:
        raise RdsError("InstanceQuotaExceededFault", "DB Instance quota exceeded")


def new_tags(given: Iterable[dict[str, Any]] | None) -> dict[str, str]:
    """Tags of a request. Raises RdsError InvalidParameterValue for those that only AWS may set."""
    tags = {str(tag.get("Key", "")): str(tag.get("Value", "")) for tag in given or ()}
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid_value("Tag keys cannot start with the reserved prefix aws:")
    if len(tags) > 50:
        raise invalid_combination("A resource can have at most 50 tags.")
    return tags

"""CreateDBCluster, DescribeDBClusters, DeleteDBCluster, FailoverDBCluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import attributes, listing, neighbours, rules, timing, views
from ..catalogue import check_engine, check_version
from ..clock import now
from ..engines import EngineUnavailable
from ..errors import RdsError, invalid_combination
from ..model import Cluster, resource_id
from ..world import Change
from .registry import Call, action
from .snapshots import take_snapshot


@action("CreateDBCluster")
def create_cluster(call: Call) -> dict[str, Any]:
    """A cluster without instances, and so without a server that takes connections."""
    name = rules.free_cluster_name(call.realm, rules.identifier(call["DBClusterIdentifier"], "DBClusterIdentifier"))
    engine = check_engine(call["Engine"])
    version = check_version(engine, call.get("EngineVersion"))
    if "GlobalClusterIdentifier" in call.parameters:
        raise RdsError("GlobalClusterNotFoundFault", f"Global cluster {call['GlobalClusterIdentifier']} not found.")
    if "MasterUsername" not in call.parameters:
        raise invalid_combination("You must specify MasterUsername.")
    username = rules.master_username(call["MasterUsername"], engine)
    rules.room_for_cluster(call.realm)
    described = attributes.new_cluster(call.realm, call.parameters, engine, version)
    described |= encryption(call, call.get("StorageEncrypted", False), call.get("KmsKeyId"))
    cluster = new_cluster(call, name, described)
    password = _initial_password(call, cluster, username)
    setup = cluster.database.engine.setup_sql(username, password, call.get("DatabaseName"))

    def work() -> None:
        cluster.database.create()
        cluster.database.apply(setup)

    announce(call, cluster, timing.CREATE_CLUSTER, work)
    return {"DBCluster": views.cluster(call.world, cluster)}


def new_cluster(call: Call, name: str, described: dict[str, Any]) -> Cluster:
    """A cluster in the state `creating`. Raises RdsError where its engine's server is not installed."""
    engine = described["Engine"]
    try:
        call.world.engines[engine].check_installed()
    except EngineUnavailable as error:
        raise invalid_combination(str(error)) from None
    described |= {"DbClusterResourceId": resource_id("cluster"), "ClusterCreateTime": now()}
    tags = rules.new_tags(call.get("Tags"))
    return Cluster(call.realm, name, described, tags=tags, database=call.world.engines.database(engine))


def announce(call: Call, cluster: Cluster, seconds: float, work: Callable[[], None]) -> None:
    """Add a new cluster to its realm; `work` makes its data."""
    call.realm.clusters[cluster.name] = cluster

    def finish() -> None:
        cluster.status = "available"
        call.realm.record("db-cluster", cluster, "DB cluster created")

    call.world.begin(Change(cluster, seconds, finish, work))


def encryption(call: Call, encrypted: bool, key: str | None) -> dict[str, Any]:
    """StorageEncrypted and KmsKeyId of a new cluster; a key alone means encryption."""
    if not encrypted and key is None:
        return {"StorageEncrypted": False}
    return {
        "StorageEncrypted": True,
        "KmsKeyId": neighbours.usable_key(call.realm, key) if key else neighbours.default_key(call.realm),
    }


def _initial_password(call: Call, cluster: Cluster, username: str) -> str:
    if not call.get("ManageMasterUserPassword"):
        if "MasterUserPassword" not in call.parameters:
            raise invalid_combination("You must specify MasterUserPassword or set ManageMasterUserPassword.")
        return rules.master_password(call["MasterUserPassword"])
    if "MasterUserPassword" in call.parameters:
        raise invalid_combination("You can't specify MasterUserPassword with ManageMasterUserPassword.")
    return managed_password(call, cluster, username)


def managed_password(call: Call, cluster: Cluster, username: str) -> str:
    """Let Secrets Manager hold the master password; returns it."""
    key = call.get("MasterUserSecretKmsKeyId")
    if key is not None:
        key = neighbours.usable_key(call.realm, key)
    secret = neighbours.create_master_secret(call.realm, cluster.attributes["DbClusterResourceId"], username, key)
    password = secret.pop("password")
    cluster.attributes["MasterUserSecret"] = secret
    return password


@action("DescribeDBClusters")
def describe_clusters(call: Call) -> dict[str, Any]:
    """One cluster by identifier or ARN, or all."""
    name = call.get("DBClusterIdentifier")
    found = [rules.cluster(call.realm, name)] if name else sorted(call.realm.clusters.values(), key=lambda c: c.name)
    found = listing.filtered(
        call,
        found,
        {
            "db-cluster-id": lambda c: (c.name, c.arn),
            "db-cluster-resource-id": lambda c: (c.attributes["DbClusterResourceId"],),
            "engine": lambda c: (c.engine,),
            "clone-group-id": lambda c: (c.attributes.get("CloneGroupId", ""),),
            "domain": lambda c: (),
        },
    )
    return listing.page(call, found, "DBClusters", lambda cluster: views.cluster(call.world, cluster))


@action("DeleteDBCluster")
def delete_cluster(call: Call) -> dict[str, Any]:
    """Delete an empty, unprotected cluster, with a final snapshot unless the caller renounces it."""
    cluster = rules.cluster(call.realm, call["DBClusterIdentifier"])
    skip, final = call.get("SkipFinalSnapshot", False), call.get("FinalDBSnapshotIdentifier")
    if cluster.attributes["DeletionProtection"]:
        raise invalid_combination("Cannot delete protected Cluster, please disable deletion protection and try again.")
    if skip and final:
        raise invalid_combination("FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is true.")
    if not skip and not final:
        raise invalid_combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    if cluster.status not in ("available", "failed"):
        rules.available_cluster(cluster)
    if any(member.status != "deleting" for member in cluster.instances):
        raise RdsError(
            "InvalidDBClusterStateFault",
            "Cluster cannot be deleted, it still contains DB instances in non-deleting state.",
        )
    image = take_snapshot(call, cluster, rules.new_snapshot_name(call.realm, final), {}) if final else None
    cluster.status = "deleting"

    def work() -> None:
        if image is not None:
            image()
        cluster.database.destroy()

    def finish() -> None:
        del call.realm.clusters[cluster.name]
        if secret := cluster.attributes.get("MasterUserSecret"):
            neighbours.delete_master_secret(call.realm, secret["SecretArn"])
        call.realm.record("db-cluster", cluster, "DB cluster deleted")

    call.world.begin(Change(cluster, timing.DELETE_CLUSTER, finish, work))
    return {"DBCluster": views.cluster(call.world, cluster)}


@action("FailoverDBCluster")
def fail_over(call: Call) -> dict[str, Any]:
    """Make another member the writer."""
    cluster = rules.available_cluster(rules.cluster(call.realm, call["DBClusterIdentifier"]))
    readers = [member for member in cluster.instances if not member.is_writer and member.status == "available"]
    if target := call.get("TargetDBInstanceIdentifier"):
        readers = [member for member in readers if member.name == target.lower()]
    if not readers:
        raise RdsError("InvalidDBClusterStateFault", f"DBCluster {cluster.name} has no reader to fail over to.")
    chosen = min(readers, key=lambda member: member.attributes["PromotionTier"])
    cluster.status = "failing-over"

    def finish() -> None:
        cluster.instances.remove(chosen)
        cluster.instances.insert(0, chosen)
        cluster.status = "available"
        call.realm.record("db-cluster", cluster, f"Completed failover to DB instance: {chosen.name}")

    call.world.begin(Change(cluster, timing.FAILOVER, finish))
    return {"DBCluster": views.cluster(call.world, cluster)}

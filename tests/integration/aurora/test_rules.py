"""AWS's rules about names, passwords, states, protection and deletion, by AWS's error codes."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import PASSWORD, Aws, refused

POSTGRES = "aurora-postgresql"


def _create(aws: Aws, **changes: Any) -> str:
    wanted = {
        "DBClusterIdentifier": "orders",
        "Engine": POSTGRES,
        "MasterUsername": "boss",
        "MasterUserPassword": PASSWORD,
    }
    return refused(aws.rds.create_db_cluster, **{k: v for k, v in (wanted | changes).items() if v is not None})


@pytest.mark.parametrize("name", ["1orders", "orders-", "or--ders", "or_ders", "o" * 64, "-orders"])
def test_malformed_identifiers_are_refused(aws: Aws, name: str) -> None:
    assert _create(aws, DBClusterIdentifier=name) == "InvalidParameterValue"


@pytest.mark.parametrize("password", ["short-1", "x" * 42, "with/slash", 'with"quote', "with@at-sign", "with space"])
def test_passwords_outside_the_rules_are_refused_and_not_repeated(aws: Aws, password: str) -> None:
    assert _create(aws, MasterUserPassword=password) == "InvalidParameterValue"
    with pytest.raises(aws.rds.exceptions.ClientError) as caught:
        aws.rds.create_db_cluster(
            DBClusterIdentifier="orders", Engine=POSTGRES, MasterUsername="boss", MasterUserPassword=password
        )
    assert password not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Engine": "postgres"}, "InvalidParameterValue"),
        ({"EngineVersion": "1.0"}, "InvalidParameterCombination"),
        ({"MasterUsername": None}, "InvalidParameterCombination"),
        ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue"),
        ({"MasterUserPassword": None}, "InvalidParameterCombination"),
        ({"ManageMasterUserPassword": True}, "InvalidParameterCombination"),
        ({"Port": 1000}, "InvalidParameterValue"),
        ({"DBSubnetGroupName": "nowhere"}, "DBSubnetGroupNotFoundFault"),
        ({"DBClusterParameterGroupName": "nothing"}, "DBClusterParameterGroupNotFound"),
        ({"VpcSecurityGroupIds": ["sg-0"]}, "InvalidParameterValue"),
        ({"KmsKeyId": "alias/none"}, "KMSKeyNotAccessibleFault"),
        ({"ServerlessV2ScalingConfiguration": {"MinCapacity": 4, "MaxCapacity": 2}}, "InvalidParameterCombination"),
        ({"Tags": [{"Key": "aws:mine", "Value": "no"}]}, "InvalidParameterValue"),
    ],
)
def test_bad_values_of_a_new_cluster_are_refused(aws: Aws, changes: dict[str, Any], code: str) -> None:
    assert _create(aws, **changes) == code
    assert aws.rds.describe_db_clusters()["DBClusters"] == []


def test_what_does_not_exist_is_not_found(aws: Aws) -> None:
    rds = aws.rds
    assert refused(rds.describe_db_clusters, DBClusterIdentifier="none") == "DBClusterNotFoundFault"
    assert refused(rds.describe_db_instances, DBInstanceIdentifier="none") == "DBInstanceNotFound"
    code = refused(rds.describe_db_cluster_snapshots, DBClusterSnapshotIdentifier="none")
    assert code == "DBClusterSnapshotNotFoundFault"
    assert refused(rds.modify_db_cluster, DBClusterIdentifier="none") == "DBClusterNotFoundFault"
    restored = {"DBClusterIdentifier": "new", "SnapshotIdentifier": "none", "Engine": POSTGRES}
    assert refused(rds.restore_db_cluster_from_snapshot, **restored) == "DBClusterSnapshotNotFoundFault"


def test_names_are_unique_in_a_realm_and_free_elsewhere(aws: Aws, other: Aws) -> None:
    aws.cluster("orders")
    assert _create(aws) == "DBClusterAlreadyExistsFault"
    aws.cluster("billing")
    rename = {"DBClusterIdentifier": "billing", "NewDBClusterIdentifier": "orders", "ApplyImmediately": True}
    assert refused(aws.rds.modify_db_cluster, **rename) == "DBClusterAlreadyExistsFault"
    other.cluster("orders")
    assert aws.client("rds", "eu-west-1").describe_db_clusters()["DBClusters"] == []


def test_protection_members_and_the_final_snapshot_guard_a_deletion(aws: Aws) -> None:
    aws.cluster("orders", DeletionProtection=True)
    delete = aws.rds.delete_db_cluster
    name = {"DBClusterIdentifier": "orders"}
    assert refused(delete, **name, SkipFinalSnapshot=True) == "InvalidParameterCombination"
    aws.rds.modify_db_cluster(**name, DeletionProtection=False)
    assert refused(delete, **name) == "InvalidParameterCombination"
    both = {"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "last"}
    assert refused(delete, **name, **both) == "InvalidParameterCombination"
    aws.instance("orders-1", "orders")
    assert refused(delete, **name, SkipFinalSnapshot=True) == "InvalidDBClusterStateFault"
    aws.rds.delete_db_instance(DBInstanceIdentifier="orders-1")
    delete(**name, SkipFinalSnapshot=True)
    aws.rds.get_waiter("db_cluster_deleted").wait(**name, WaiterConfig={"Delay": 1})


def test_without_apply_immediately_name_and_password_wait(aws: Aws) -> None:
    aws.cluster("orders")
    answer = aws.rds.modify_db_cluster(
        DBClusterIdentifier="orders", NewDBClusterIdentifier="later", MasterUserPassword="waiting-1"
    )["DBCluster"]
    assert answer["Status"] == "available"
    assert answer["PendingModifiedValues"] == {"DBClusterIdentifier": "later", "MasterUserPassword": "****"}
    assert aws.describe("orders")["DBClusterIdentifier"] == "orders"


def test_instances_must_fit_their_cluster(aws: Aws) -> None:
    aws.cluster("orders")
    create = aws.rds.create_db_instance
    base = {"DBInstanceIdentifier": "i", "DBClusterIdentifier": "orders", "Engine": POSTGRES}
    large = {"DBInstanceClass": "db.r6g.large"}
    assert refused(create, **base, DBInstanceClass="db.z9.huge") == "InvalidParameterCombination"
    assert refused(create, **base, DBInstanceClass="db.serverless") == "InvalidParameterCombination"
    assert refused(create, **base | {"Engine": "aurora-mysql"}, **large) == "InvalidParameterCombination"
    assert refused(create, **base | {"DBClusterIdentifier": "none"}, **large) == "DBClusterNotFoundFault"
    assert refused(create, **base, **large, DBParameterGroupName="none") == "DBParameterGroupNotFound"
    aws.instance("i", "orders")
    assert refused(create, **base, **large) == "DBInstanceAlreadyExists"


def test_a_restore_takes_the_regions_default_version_and_never_an_older_one(aws: Aws) -> None:
    aws.cluster("old", EngineVersion="15.10")
    aws.snapshot("of-old", "old")
    aws.cluster("new", EngineVersion="17.5")
    aws.snapshot("of-new", "new")
    restore = aws.rds.restore_db_cluster_from_snapshot
    restore(DBClusterIdentifier="a", SnapshotIdentifier="of-old", Engine=POSTGRES)
    default = aws.rds.describe_db_engine_versions(Engine=POSTGRES, DefaultOnly=True)["DBEngineVersions"][0]
    assert aws.settle("a")["EngineVersion"] == default["EngineVersion"] != "15.10"
    wanted = {"DBClusterIdentifier": "b", "SnapshotIdentifier": "of-new", "Engine": POSTGRES}
    assert refused(restore, **wanted) == "InvalidParameterCombination"
    assert refused(restore, **wanted | {"Engine": "aurora-mysql"}) == "InvalidParameterCombination"


def test_a_restored_cluster_has_defaults_no_instances_and_no_managed_secret(aws: Aws) -> None:
    aws.rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="mine", DBParameterGroupFamily="aurora-postgresql16", Description="x"
    )
    aws.rds.create_db_cluster(
        DBClusterIdentifier="orders",
        Engine=POSTGRES,
        MasterUsername="boss",
        ManageMasterUserPassword=True,
        DBClusterParameterGroupName="mine",
        DeletionProtection=True,
        Port=6000,
    )
    assert aws.settle("orders")["MasterUserSecret"]["SecretStatus"] == "active"
    aws.snapshot("s", "orders")
    aws.rds.restore_db_cluster_from_snapshot(DBClusterIdentifier="new", SnapshotIdentifier="s", Engine=POSTGRES)
    restored = aws.settle("new")
    assert "MasterUserSecret" not in restored
    assert restored["DBClusterMembers"] == []
    assert restored["DBClusterParameterGroup"] == "default.aurora-postgresql16"
    assert (restored["DBSubnetGroup"], restored["Port"], restored["DeletionProtection"]) == ("default", 5432, False)
    assert len(restored["VpcSecurityGroups"]) == 1
    assert restored["MasterUsername"] == "boss"


def test_point_in_time_parameters_exclude_each_other(aws: Aws) -> None:
    aws.cluster("orders")
    restore = aws.rds.restore_db_cluster_to_point_in_time
    wanted = {"DBClusterIdentifier": "new", "SourceDBClusterIdentifier": "orders"}
    now = aws.describe("orders")["ClusterCreateTime"]
    assert refused(restore, **wanted) == "InvalidParameterCombination"
    both = {"RestoreToTime": now, "UseLatestRestorableTime": True}
    assert refused(restore, **wanted, **both) == "InvalidParameterCombination"
    clone = {"RestoreToTime": now, "RestoreType": "copy-on-write"}
    assert refused(restore, **wanted, **clone) == "InvalidParameterCombination"
    assert refused(restore, **wanted, RestoreToTime=now.replace(year=2001)) == "InvalidRestoreFault"


def test_quotas_are_enforced_and_described(aws: Aws) -> None:
    aws.control("quotas", {"DBClusters": 1, "DBInstances": 1, "ManualClusterSnapshots": 1})
    aws.cluster("orders")
    assert _create(aws, DBClusterIdentifier="second") == "DBClusterQuotaExceededFault"
    aws.instance("orders-1", "orders")
    instance = {"DBInstanceIdentifier": "i", "DBClusterIdentifier": "orders", "Engine": POSTGRES}
    code = refused(aws.rds.create_db_instance, **instance, DBInstanceClass="db.r6g.large")
    assert code == "InstanceQuotaExceeded"
    aws.snapshot("s1", "orders")
    snapshot = {"DBClusterSnapshotIdentifier": "s2", "DBClusterIdentifier": "orders"}
    assert refused(aws.rds.create_db_cluster_snapshot, **snapshot) == "SnapshotQuotaExceeded"
    quotas = {q["AccountQuotaName"]: q for q in aws.rds.describe_account_attributes()["AccountQuotas"]}
    assert (quotas["DBClusters"]["Used"], quotas["DBClusters"]["Max"]) == (1, 1)


def test_unknown_actions_are_refused_as_aws_does(aws: Aws) -> None:
    assert refused(aws.rds.create_blue_green_deployment, BlueGreenDeploymentName="b", Source="s") == "InvalidAction"

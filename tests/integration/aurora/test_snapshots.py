"""Copies across regions and accounts, sharing, keys, quotas, listings."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import REGION, Aws, refused, until

POSTGRES = "aurora-postgresql"
FAR = "eu-west-1"


@pytest.fixture
def slow(aws: Aws) -> Iterator[None]:
    """Let states last: a copy takes 9 seconds."""
    aws.control("scale", {"scale": 0.1})
    yield
    aws.control("scale", {"scale": 0})


def _key(aws: Aws, region: str = REGION, grant_to: str | None = None) -> str:
    principals = [f"arn:aws:iam::{account}:root" for account in (aws.account, grant_to) if account]
    policy = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "kms:*", "Resource": "*"}]}
    created = aws.client("kms", region).create_key(Policy=json.dumps(policy))
    return str(created["KeyMetadata"]["Arn"])


def _filled(aws: Aws, **parameters: Any) -> str:
    """A cluster with 50 rows and a snapshot of it; returns the snapshot's ARN."""
    aws.cluster("orders", **parameters)
    aws.instance("orders-1", "orders")
    with aws.session("orders") as session:
        session.run("CREATE TABLE t AS SELECT id FROM generate_series(1, 50) AS id")
    return str(aws.snapshot("s", "orders")["DBClusterSnapshotArn"])


def test_a_copy_in_another_region_restores_to_the_same_rows(aws: Aws) -> None:
    source = _filled(aws, StorageEncrypted=True)
    far = aws.client("rds", FAR)
    wanted = {"SourceDBClusterSnapshotIdentifier": source, "TargetDBClusterSnapshotIdentifier": "copy"}
    assert refused(far.copy_db_cluster_snapshot, **wanted) == "InvalidParameterCombination"
    assert refused(far.copy_db_cluster_snapshot, **wanted, KmsKeyId=_key(aws)) == "KMSKeyNotAccessibleFault"
    key = _key(aws, FAR)
    far.copy_db_cluster_snapshot(**wanted, KmsKeyId=key, SourceRegion=REGION)
    copy = aws.settle_snapshot("copy", far)
    assert (copy["KmsKeyId"], copy["SourceDBClusterSnapshotArn"], copy["PercentProgress"]) == (key, source, 100)
    aws.rds = far
    far.restore_db_cluster_from_snapshot(DBClusterIdentifier="there", SnapshotIdentifier="copy", Engine=POSTGRES)
    assert aws.settle("there")["KmsKeyId"] == key
    aws.instance("there-1", "there")
    assert aws.rows("there") == 50


def test_a_shared_snapshot_is_copied_with_a_key_and_a_grant(aws: Aws, other: Aws) -> None:
    source = _filled(aws, StorageEncrypted=True, KmsKeyId=_key(aws, grant_to=other.account))
    copy = other.rds.copy_db_cluster_snapshot
    wanted = {"SourceDBClusterSnapshotIdentifier": source, "TargetDBClusterSnapshotIdentifier": "mine"}
    assert refused(copy, **wanted, KmsKeyId=_key(other)) == "DBClusterSnapshotNotFoundFault"
    share = aws.rds.modify_db_cluster_snapshot_attribute
    share(DBClusterSnapshotIdentifier="s", AttributeName="restore", ValuesToAdd=[other.account])
    assert refused(copy, **wanted) == "InvalidParameterCombination"
    far = other.client("rds", FAR).copy_db_cluster_snapshot
    assert refused(far, **wanted, KmsKeyId=_key(other, FAR)) == "InvalidParameterCombination"
    assert other.rds.describe_db_cluster_snapshots()["DBClusterSnapshots"] == []
    shared = other.rds.describe_db_cluster_snapshots(IncludeShared=True)["DBClusterSnapshots"]
    assert [one["DBClusterSnapshotArn"] for one in shared] == [source]
    copy(**wanted, KmsKeyId=_key(other))
    other.settle_snapshot("mine")
    other.rds.restore_db_cluster_from_snapshot(DBClusterIdentifier="o", SnapshotIdentifier="mine", Engine=POSTGRES)
    other.settle("o")
    other.instance("o-1", "o")
    assert other.rows("o") == 50


def test_sharing_without_a_grant_on_the_key_is_not_enough(aws: Aws, other: Aws) -> None:
    aws.cluster("orders", StorageEncrypted=True, KmsKeyId=_key(aws))
    source = aws.snapshot("s", "orders")["DBClusterSnapshotArn"]
    aws.rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="s", AttributeName="restore", ValuesToAdd=[other.account]
    )
    wanted = {"SourceDBClusterSnapshotIdentifier": source, "TargetDBClusterSnapshotIdentifier": "mine"}
    code = refused(other.rds.copy_db_cluster_snapshot, **wanted, KmsKeyId=_key(other))
    assert code == "KMSKeyNotAccessibleFault"


def test_snapshots_under_the_aws_key_and_automated_ones_cannot_be_shared(aws: Aws, other: Aws) -> None:
    aws.cluster("orders", StorageEncrypted=True)
    aws.snapshot("s", "orders")
    share = {"AttributeName": "restore", "ValuesToAdd": [other.account]}
    modify = aws.rds.modify_db_cluster_snapshot_attribute
    assert refused(modify, DBClusterSnapshotIdentifier="s", **share) == "InvalidDBClusterSnapshotStateFault"
    aws.control("snapshots", {"cluster": "orders", "id": "rds:orders-1", "type": "automated"})
    aws.settle("orders")
    automated = refused(modify, DBClusterSnapshotIdentifier="rds:orders-1", **share)
    assert automated == "InvalidDBClusterSnapshotStateFault"
    key = _key(aws)
    aws.rds.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier="rds:orders-1", TargetDBClusterSnapshotIdentifier="copy", KmsKeyId=key
    )
    aws.settle_snapshot("copy")
    modify(DBClusterSnapshotIdentifier="copy", **share)
    found = aws.rds.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier="copy")
    attributes = found["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
    assert attributes == [{"AttributeName": "restore", "AttributeValues": [other.account]}]


def test_an_automated_snapshot_is_found_by_id_only_with_its_type(aws: Aws) -> None:
    aws.cluster("orders")
    aws.control("snapshots", {"cluster": "orders", "id": "rds:orders-2026", "type": "automated"})
    aws.settle("orders")
    aws.snapshot("by-hand", "orders")
    describe = aws.rds.describe_db_cluster_snapshots
    name = {"DBClusterSnapshotIdentifier": "rds:orders-2026"}
    assert refused(describe, **name) == "DBClusterSnapshotNotFoundFault"
    assert len(describe(**name, SnapshotType="automated")["DBClusterSnapshots"]) == 1
    assert len(describe(DBClusterIdentifier="orders")["DBClusterSnapshots"]) == 2
    manual = describe(DBClusterIdentifier="orders", SnapshotType="manual")["DBClusterSnapshots"]
    assert [one["DBClusterSnapshotIdentifier"] for one in manual] == ["by-hand"]
    delete = refused(aws.rds.delete_db_cluster_snapshot, **name)
    assert delete == "InvalidDBClusterSnapshotStateFault"


def test_keys_that_cannot_be_used_stop_a_copy(aws: Aws) -> None:
    aws.cluster("orders", StorageEncrypted=True)
    aws.snapshot("s", "orders")
    key = _key(aws)
    aws.client("kms").disable_key(KeyId=key)
    wanted = {"SourceDBClusterSnapshotIdentifier": "s", "TargetDBClusterSnapshotIdentifier": "copy"}
    assert refused(aws.rds.copy_db_cluster_snapshot, **wanted, KmsKeyId=key) == "KMSKeyNotAccessibleFault"
    aws.cluster("plain")
    aws.snapshot("p", "plain")
    wanted["SourceDBClusterSnapshotIdentifier"] = "p"
    code = refused(aws.rds.copy_db_cluster_snapshot, **wanted, KmsKeyId=_key(aws))
    assert code == "InvalidParameterCombination"


def test_the_key_of_rds_itself_is_known_by_its_alias_and_by_the_aliass_arn(aws: Aws) -> None:
    aws.cluster("orders", StorageEncrypted=True, KmsKeyId=_key(aws))
    aws.snapshot("s", "orders")
    keys = []
    for number, key in enumerate(["alias/aws/rds", f"arn:aws:kms:{REGION}:{aws.account}:alias/aws/rds"]):
        name = f"copy-{number}"
        aws.rds.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier="s", TargetDBClusterSnapshotIdentifier=name, KmsKeyId=key
        )
        keys.append(aws.settle_snapshot(name)["KmsKeyId"])
    assert keys[0] == keys[1]
    assert keys[0].startswith(f"arn:aws:kms:{REGION}:{aws.account}:key/")


def test_tags_travel_with_copies_except_those_of_aws(aws: Aws) -> None:
    aws.cluster("orders", CopyTagsToSnapshot=True, Tags=[{"Key": "team", "Value": "shop"}])
    arn = aws.snapshot("s", "orders")["DBClusterSnapshotArn"]
    copy = aws.rds.copy_db_cluster_snapshot
    copy(SourceDBClusterSnapshotIdentifier="s", TargetDBClusterSnapshotIdentifier="c1", CopyTags=True)
    assert aws.settle_snapshot("c1")["TagList"] == [{"Key": "team", "Value": "shop"}]
    aws.control("tags", {"arn": arn, "tags": {"aws:cloudformation:stack-name": "x"}})
    wanted = {"SourceDBClusterSnapshotIdentifier": "s", "TargetDBClusterSnapshotIdentifier": "c2"}
    assert refused(copy, **wanted, CopyTags=True) == "InvalidParameterValue"
    copy(**wanted)
    assert aws.settle_snapshot("c2")["TagList"] == []


@pytest.mark.usefixtures("slow")
def test_copies_show_progress_are_limited_and_can_be_cancelled(aws: Aws) -> None:
    aws.control("scale", {"scale": 0})
    aws.cluster("orders")
    aws.snapshot("s", "orders")
    aws.control("scale", {"scale": 0.1})
    copy, describe = aws.rds.copy_db_cluster_snapshot, aws.rds.describe_db_cluster_snapshots
    for number in range(5):
        copy(SourceDBClusterSnapshotIdentifier="s", TargetDBClusterSnapshotIdentifier=f"c{number}")
    wanted = {"SourceDBClusterSnapshotIdentifier": "s", "TargetDBClusterSnapshotIdentifier": "c5"}
    assert refused(copy, **wanted) == "SnapshotQuotaExceeded"
    restore = {"DBClusterIdentifier": "new", "SnapshotIdentifier": "c0", "Engine": POSTGRES}
    code = refused(aws.rds.restore_db_cluster_from_snapshot, **restore)
    assert code == "InvalidDBClusterSnapshotStateFault"
    aws.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="c0")
    copy(**wanted)
    moving = until(
        lambda: describe(DBClusterSnapshotIdentifier="c1")["DBClusterSnapshots"][0],
        lambda found: 0 < found["PercentProgress"] < 100,
    )
    assert moving["Status"] == "copying"
    aws.control("scale", {"scale": 0})
    assert aws.settle_snapshot("c5")["PercentProgress"] == 100
    names = [one["DBClusterSnapshotIdentifier"] for one in describe()["DBClusterSnapshots"]]
    assert names == ["c1", "c2", "c3", "c4", "c5", "s"]


@pytest.mark.usefixtures("slow")
def test_states_last_and_keep_others_out(aws: Aws) -> None:
    aws.control("scale", {"scale": 0})
    aws.cluster("orders")
    aws.instance("orders-1", "orders")
    aws.control("scale", {"scale": 0.01})
    started = time.monotonic()
    aws.rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="s", DBClusterIdentifier="orders")
    assert aws.describe("orders")["Status"] == "backing-up"
    rename = {"DBClusterIdentifier": "orders", "NewDBClusterIdentifier": "new", "ApplyImmediately": True}
    assert refused(aws.rds.modify_db_cluster, **rename) == "InvalidDBClusterStateFault"
    aws.settle("orders")
    assert time.monotonic() - started > 0.3
    aws.rds.modify_db_cluster(**rename)
    assert aws.describe("orders")["Status"] == "renaming"
    aws.settle("new")
    reset = {"DBClusterIdentifier": "new", "MasterUserPassword": "changed-22", "ApplyImmediately": True}
    assert aws.rds.modify_db_cluster(**reset)["DBCluster"]["Status"] == "resetting-master-credentials"
    aws.settle("new")


def test_listings_are_paged_and_filtered(aws: Aws) -> None:
    for number in range(23):
        aws.rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=f"g{number:02}", DBParameterGroupFamily="aurora-postgresql16", Description="x"
        )
    describe = aws.rds.describe_db_cluster_parameter_groups
    first = describe(MaxRecords=20)
    rest = describe(MaxRecords=20, Marker=first["Marker"])
    assert len(first["DBClusterParameterGroups"]) == 20
    names = {one["DBClusterParameterGroupName"] for one in first["DBClusterParameterGroups"]}
    assert names.isdisjoint(one["DBClusterParameterGroupName"] for one in rest["DBClusterParameterGroups"])
    assert refused(describe, MaxRecords=5) == "InvalidParameterValue"
    wrong = [{"Name": "colour", "Values": ["red"]}]
    assert refused(aws.rds.describe_db_clusters, Filters=wrong) == "InvalidParameterValue"
    nothing = [{"Name": "db-cluster-id", "Values": ["none"]}]
    assert aws.rds.describe_db_clusters(Filters=nothing)["DBClusters"] == []

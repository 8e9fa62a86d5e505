"""What a request sets is what a description shows; members, tags, groups, events and catalogue."""

from __future__ import annotations

from typing import Any

from .conftest import Aws, refused, until

POSTGRES = "aurora-postgresql"


def test_attributes_of_a_cluster_come_back_as_they_were_set(aws: Aws) -> None:
    group = aws.client("ec2").create_security_group(GroupName="db", Description="d")["GroupId"]
    plain: dict[str, Any] = {
        "EngineVersion": "16.9",
        "BackupRetentionPeriod": 9,
        "PreferredBackupWindow": "01:00-02:00",
        "PreferredMaintenanceWindow": "mon:01:00-mon:02:00",
        "CopyTagsToSnapshot": True,
        "DeletionProtection": True,
        "Port": 6543,
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 4.0},
    }
    aws.cluster(
        "orders",
        **plain,
        VpcSecurityGroupIds=[group],
        EnableIAMDatabaseAuthentication=True,
        EnableCloudwatchLogsExports=["postgresql"],
        Tags=[{"Key": "team", "Value": "shop"}],
    )
    found = aws.describe("orders")
    assert {name: found[name] for name in plain} == plain
    assert found["VpcSecurityGroups"] == [{"VpcSecurityGroupId": group, "Status": "active"}]
    assert found["IAMDatabaseAuthenticationEnabled"] is True
    assert found["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert found["TagList"] == [{"Key": "team", "Value": "shop"}]
    aws.rds.modify_db_cluster(
        DBClusterIdentifier="orders",
        CloudwatchLogsExportConfiguration={"EnableLogTypes": ["instance"], "DisableLogTypes": ["postgresql"]},
        DeletionProtection=False,
        BackupRetentionPeriod=3,
    )
    aws.rds.enable_http_endpoint(ResourceArn=found["DBClusterArn"])
    advanced = {"DatabaseInsightsMode": "advanced", "EnablePerformanceInsights": True}
    kept_briefly = {**advanced, "PerformanceInsightsRetentionPeriod": 7}
    call = aws.rds.modify_db_cluster
    assert refused(call, DBClusterIdentifier="orders", **kept_briefly) == "InvalidParameterCombination"
    call(
        DBClusterIdentifier="orders",
        EnableLocalWriteForwarding=True,
        **{**advanced, "PerformanceInsightsRetentionPeriod": 465},
    )
    changed = aws.settle("orders")
    assert (changed["HttpEndpointEnabled"], changed["LocalWriteForwardingStatus"]) == (True, "enabled")
    assert (changed["DatabaseInsightsMode"], changed["PerformanceInsightsEnabled"]) == ("advanced", True)
    assert changed["EnabledCloudwatchLogsExports"] == ["instance"]
    assert (changed["DeletionProtection"], changed["BackupRetentionPeriod"]) == (False, 3)
    serverless = aws.instance(
        "orders-1", "orders", DBInstanceClass="db.serverless", PromotionTier=3, EnablePerformanceInsights=True
    )
    assert (serverless["DBInstanceClass"], serverless["PromotionTier"]) == ("db.serverless", 3)
    assert serverless["PerformanceInsightsEnabled"] is True
    assert serverless["Endpoint"]["Port"] == 6543
    with aws.session("orders") as session:
        assert session.run("SELECT 1") == [[1]]


def test_a_failover_makes_the_preferred_reader_the_writer(aws: Aws) -> None:
    aws.cluster("orders")
    assert refused(aws.rds.failover_db_cluster, DBClusterIdentifier="orders") == "InvalidDBClusterStateFault"
    for number, tier in ((1, 1), (2, 5), (3, 2)):
        aws.instance(f"orders-{number}", "orders", PromotionTier=tier)
    aws.rds.failover_db_cluster(DBClusterIdentifier="orders")
    members = aws.settle("orders")["DBClusterMembers"]
    assert [m["DBInstanceIdentifier"] for m in members if m["IsClusterWriter"]] == ["orders-3"]
    aws.rds.reboot_db_instance(DBInstanceIdentifier="orders-3")
    aws.settle_instance("orders-3")
    with aws.session("orders") as session:
        assert session.run("SELECT 1") == [[1]]


def test_tags_are_set_listed_and_removed_by_arn(aws: Aws) -> None:
    arn = aws.cluster("orders")["DBClusterArn"]
    assert arn == f"arn:aws:rds:us-east-1:{aws.account}:cluster:orders"
    aws.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    aws.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["a", "absent"])
    assert aws.rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "b", "Value": "2"}]
    aws.rds.modify_db_cluster(DBClusterIdentifier="orders", NewDBClusterIdentifier="renamed", ApplyImmediately=True)
    renamed = until(lambda: aws.describe("renamed"), lambda found: found["Status"] == "available")
    assert renamed["TagList"] == [{"Key": "b", "Value": "2"}]
    assert refused(aws.rds.list_tags_for_resource, ResourceName=arn) == "DBClusterNotFoundFault"


def test_groups_that_are_in_use_stay(aws: Aws) -> None:
    subnets = [subnet["SubnetId"] for subnet in aws.client("ec2").describe_subnets()["Subnets"]]
    create = aws.rds.create_db_subnet_group
    named = {"DBSubnetGroupName": "mine", "DBSubnetGroupDescription": "d"}
    assert refused(create, **named, SubnetIds=subnets[:1]) == "DBSubnetGroupDoesNotCoverEnoughAZs"
    assert refused(create, **named, SubnetIds=["subnet-0"]) == "InvalidSubnet"
    create(**named, SubnetIds=subnets)
    assert refused(create, **named, SubnetIds=subnets) == "DBSubnetGroupAlreadyExists"
    for kind in ("DBClusterParameterGroup", "DBParameterGroup"):
        method = "create_db_cluster_parameter_group" if "Cluster" in kind else "create_db_parameter_group"
        getattr(aws.rds, method)(
            **{f"{kind}Name": "mine"}, DBParameterGroupFamily="aurora-postgresql16", Description="d"
        )
    aws.cluster("orders", DBSubnetGroupName="mine", DBClusterParameterGroupName="mine")
    aws.instance("orders-1", "orders", DBParameterGroupName="mine")
    assert refused(aws.rds.delete_db_subnet_group, DBSubnetGroupName="mine") == "InvalidDBSubnetGroupStateFault"
    delete_cluster_group = aws.rds.delete_db_cluster_parameter_group
    assert refused(delete_cluster_group, DBClusterParameterGroupName="mine") == "InvalidDBParameterGroupState"
    assert refused(aws.rds.delete_db_parameter_group, DBParameterGroupName="mine") == "InvalidDBParameterGroupState"
    found = aws.rds.describe_db_instances(DBInstanceIdentifier="orders-1")["DBInstances"][0]
    assert found["DBSubnetGroup"]["DBSubnetGroupName"] == "mine"
    assert found["DBParameterGroups"][0]["DBParameterGroupName"] == "mine"


def test_the_catalogue_and_the_events_can_be_read(aws: Aws) -> None:
    aws.cluster("orders")
    events = aws.rds.describe_events(SourceType="db-cluster", SourceIdentifier="orders")["Events"]
    assert [event["Message"] for event in events] == ["DB cluster created"]
    options = aws.rds.describe_orderable_db_instance_options(Engine=POSTGRES, DBInstanceClass="db.r6g.large")
    versions = aws.rds.describe_db_engine_versions(Engine=POSTGRES)["DBEngineVersions"]
    offered = {option["EngineVersion"] for option in options["OrderableDBInstanceOptions"]}
    assert offered == {version["EngineVersion"] for version in versions}
    assert aws.rds.describe_global_clusters()["GlobalClusters"] == []

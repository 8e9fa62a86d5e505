"""With IAM enforced, roles may do what their policies say: Step Functions' role too, RDS calls by resource and tag."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ACCOUNT, REGION, Aws, name, task

RDS = f"arn:aws:rds:{REGION}:{ACCOUNT}"


def acting(aws: Aws, *statements: dict[str, Any], service: str = "rds") -> Any:
    """A client of a role with these statements."""
    role = aws.role(name("role"), *statements)
    credentials = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="conformance")["Credentials"]
    return aws.client(service, **{key: credentials[key] for key in ("AccessKeyId", "SecretAccessKey", "SessionToken")})


def allow(action: str, *resources: str, **more: Any) -> dict[str, Any]:
    """A statement."""
    return {"Effect": "Allow", "Action": action, "Resource": list(resources), **more}


def denied(call: Callable[[], Any]) -> bool:
    """Whether a call is refused for lack of permission; any other refusal means that it was authorized."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"]) in ("AccessDenied", "AccessDeniedException")
    return False


def test_the_state_machines_role_needs_invoke_function(strict_aws: Aws) -> None:
    machine = strict_aws.machine({"Work": task(strict_aws.function())})
    refused = strict_aws.run(machine)
    assert (refused["status"], refused["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("lambda:InvokeFunction", "*")]})
    iam, named = strict_aws.client("iam"), {"RoleName": "conformance", "PolicyName": "invoke"}
    iam.put_role_policy(**named, PolicyDocument=policy)
    try:
        assert strict_aws.run(machine)["status"] == "SUCCEEDED"
    finally:
        iam.delete_role_policy(**named)


def test_a_snapshot_copy_is_authorized_on_source_and_target(strict_aws: Aws) -> None:
    snapshots = f"{RDS}:cluster-snapshot"
    rds = acting(strict_aws, allow("rds:CopyDBClusterSnapshot", f"{snapshots}:nightly", f"{snapshots}:copy-*"))

    def copy(source: str, target: str) -> bool:
        return denied(
            lambda: rds.copy_db_cluster_snapshot(
                SourceDBClusterSnapshotIdentifier=source, TargetDBClusterSnapshotIdentifier=target
            )
        )

    assert not copy("nightly", "copy-1")
    assert not copy(f"{snapshots}:nightly", "copy-1")
    assert copy("other", "copy-1")
    assert copy("nightly", "other")


def test_a_restore_is_authorized_on_cluster_snapshot_and_subnet_group(strict_aws: Aws) -> None:
    named = (f"{RDS}:cluster:restored", f"{RDS}:cluster-snapshot:nightly", f"{RDS}:subgrp:private")
    request = {
        "DBClusterIdentifier": "restored",
        "SnapshotIdentifier": "nightly",
        "DBSubnetGroupName": "private",
        "Engine": "aurora-postgresql",
    }

    def restore(*resources: str) -> bool:
        rds = acting(strict_aws, allow("rds:RestoreDBClusterFromSnapshot", *resources))
        return denied(lambda: rds.restore_db_cluster_from_snapshot(**request))

    assert not restore(*named)
    for left_out in named:
        assert restore(*(set(named) - {left_out})), left_out


def test_a_listing_needs_all_resources_of_its_kind(strict_aws: Aws) -> None:
    one = acting(strict_aws, allow("rds:DescribeDBClusters", f"{RDS}:cluster:orders"))
    every = acting(strict_aws, allow("rds:DescribeDBClusters", f"{RDS}:cluster:*"))
    assert denied(one.describe_db_clusters)
    assert not denied(every.describe_db_clusters)


@pytest.mark.parametrize(("tag", "refused"), [("true", False), ("false", True)])
def test_a_condition_on_the_tag_of_a_cluster_is_evaluated(strict_aws: Aws, tag: str, refused: bool) -> None:
    cluster, root = name("cluster"), strict_aws.client("rds")
    root.create_db_cluster(
        DBClusterIdentifier=cluster,
        Engine="aurora-postgresql",
        MasterUsername="postgres",
        MasterUserPassword="conformance",
        Tags=[{"Key": "owned", "Value": tag}],
    )
    condition = {"StringEquals": {"aws:ResourceTag/owned": "true"}}
    rds = acting(strict_aws, allow("rds:DeleteDBCluster", "*", Condition=condition))
    assert denied(lambda: rds.delete_db_cluster(DBClusterIdentifier=cluster, SkipFinalSnapshot=True)) == refused


def test_what_a_call_tags_needs_the_right_to_tag_it(strict_aws: Aws) -> None:
    snapshots, tags = f"{RDS}:cluster-snapshot", [{"Key": "owned", "Value": "true"}]
    copying = allow("rds:CopyDBClusterSnapshot", f"{snapshots}:*")

    def copy(rds: Any, **more: Any) -> bool:
        return denied(
            lambda: rds.copy_db_cluster_snapshot(
                SourceDBClusterSnapshotIdentifier="nightly", TargetDBClusterSnapshotIdentifier="copy-1", **more
            )
        )

    assert not copy(acting(strict_aws, copying))
    assert copy(acting(strict_aws, copying), Tags=tags)
    assert not copy(acting(strict_aws, copying, allow("rds:AddTagsToResource", f"{snapshots}:copy-1")), Tags=tags)


@pytest.mark.parametrize("copies_tags", [True, False])
def test_a_final_snapshot_is_authorized_and_so_are_its_tags_where_it_gets_the_clusters(
    strict_aws: Aws, copies_tags: bool
) -> None:
    cluster = name("cluster")
    strict_aws.client("rds").create_db_cluster(
        DBClusterIdentifier=cluster,
        Engine="aurora-postgresql",
        MasterUsername="postgres",
        MasterUserPassword="conformance",
        CopyTagsToSnapshot=copies_tags,
    )
    rights = [allow("rds:DeleteDBCluster", "*"), allow("rds:CreateDBClusterSnapshot", "*")]
    tagging = allow("rds:AddTagsToResource", f"{RDS}:cluster-snapshot:{cluster}-final")

    def delete(*statements: dict[str, Any]) -> bool:
        rds = acting(strict_aws, *statements)
        return denied(
            lambda: rds.delete_db_cluster(DBClusterIdentifier=cluster, FinalDBSnapshotIdentifier=f"{cluster}-final")
        )

    assert delete(rights[0])
    assert not copies_tags or delete(*rights)
    assert not delete(*rights, *([tagging] if copies_tags else []))


def test_an_execution_of_an_alias_is_authorized_on_the_state_machine_itself(strict_aws: Aws) -> None:
    states = strict_aws.client("stepfunctions")
    machine = strict_aws.machine({"Done": {"Type": "Succeed"}})
    version = states.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    routes = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = states.create_state_machine_alias(name="live", routingConfiguration=routes)["stateMachineAliasArn"]

    def start(resource: str) -> bool:
        client = acting(strict_aws, allow("states:StartExecution", resource), service="stepfunctions")
        return denied(lambda: client.start_execution(stateMachineArn=alias))

    assert start(alias)
    assert not start(machine)

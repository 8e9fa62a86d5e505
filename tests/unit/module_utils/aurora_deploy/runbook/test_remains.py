"""Against moto: the calls are few, and their parameters are what can be wrong."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from aurora_deploy.clients import Aws
from aurora_deploy.keys import identity
from aurora_deploy.runbook.execution import StateMachine
from aurora_deploy.runbook.remains import remains, running
from aurora_deploy.tags import tag_list

ALIAS = "alias/aurora-restore"
MACHINE = StateMachine("arn:aws:states:us-east-1:123456789012:stateMachine:aurora-restore-state-machine")


@pytest.fixture
def aws() -> Iterator[Aws]:
    with mock_aws():
        yield Aws(region="us-east-1")


def cluster(name: str, **tags: str) -> None:
    boto3.client("rds", region_name="us-east-1").create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        MasterUsername="owner",
        MasterUserPassword="long-enough",
        Tags=[{"Key": f"aurora-restore:{key.replace('_', '-')}", "Value": value} for key, value in tags.items()],
    )


def test_nothing_stays_of_nothing(aws: Aws) -> None:
    assert remains(aws, "aurora-restore", ALIAS) == []
    assert running(aws, MACHINE) == []


def test_only_what_restores_made_or_replaced_is_named(aws: Aws) -> None:
    cluster("orders-prod")
    cluster("billing-test", target="true")
    cluster("orders-staging", target="true", operation="op-1")
    cluster("orders-staging-old-op-1", target="true", expires_at="2026-11-24")
    found = remains(aws, "aurora-restore", ALIAS)
    assert [line.split(",")[0] for line in found] == ["cluster orders-staging", "cluster orders-staging-old-op-1"]
    assert "kept until 2026-11-24" in found[1]


def test_a_key_that_waits_for_deletion_is_named_with_its_date(aws: Aws) -> None:
    kms = boto3.client("kms", region_name="us-east-1")
    key = kms.create_key(Tags=tag_list(identity(ALIAS), "Tag"))["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    (line,) = remains(aws, "aurora-restore", ALIAS)
    assert key in line
    assert "which AWS deletes on 20" in line

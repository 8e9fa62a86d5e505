from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from aurora_deploy.clients import Aws
from aurora_deploy.diff import UNKNOWN
from aurora_deploy.families import tables

from .conftest import Converge

ARGS: dict[str, Any] = {
    "tables": [
        {"name": "state", "partition_key": "operation_id", "sort_key": None, "ttl_attribute": None},
        {"name": "audit", "partition_key": "operation_id", "sort_key": "timestamp", "ttl_attribute": "expires_at"},
    ],
    "kms_key": "alias/aurora-restore",
    "deletion_protection": True,
    "point_in_time_recovery": True,
    "tags": {"Project": "aurora-restore"},
    "state": "present",
}


def describe(aws: Aws, name: str) -> dict[str, Any]:
    table: dict[str, Any] = aws.client("dynamodb").describe_table(TableName=name)["Table"]
    return table


def test_tables_are_made_as_declared_and_then_left_alone(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    assert [item["action"] for item in run_plan(tables.plan, ARGS).items] == ["create", "create"]
    audit = describe(aws, "audit")
    assert audit["KeySchema"] == [
        {"AttributeName": "operation_id", "KeyType": "HASH"},
        {"AttributeName": "timestamp", "KeyType": "RANGE"},
    ]
    assert audit["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert audit["SSEDescription"]["KMSMasterKeyArn"] == key_arn
    assert audit["DeletionProtectionEnabled"] is True
    client = aws.client("dynamodb")
    lifetime = client.describe_time_to_live(TableName="audit")["TimeToLiveDescription"]
    assert lifetime == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    for name in ("state", "audit"):
        backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert run_plan(tables.plan, ARGS).changed is False


def test_check_mode_on_an_empty_account_announces_the_tables(aws: Aws, run_plan: Converge) -> None:
    outcome = run_plan(tables.plan, ARGS, check=True)
    assert outcome.items[0]["changes"]["kms_key"] == {"before": None, "after": UNKNOWN}
    assert aws.client("dynamodb").list_tables()["TableNames"] == []


@pytest.mark.parametrize(
    ("attribute", "drift"),
    [
        ("deletion_protection", lambda c, a: c.update_table(TableName="audit", DeletionProtectionEnabled=False)),
        (
            "point_in_time_recovery",
            lambda c, a: c.update_continuous_backups(
                TableName="audit", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
            ),
        ),
        (
            "ttl_attribute",
            lambda c, a: c.update_time_to_live(
                TableName="audit", TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"}
            ),
        ),
        (
            "billing_mode",
            lambda c, a: c.update_table(
                TableName="audit",
                BillingMode="PROVISIONED",
                ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
            ),
        ),
        ("tags", lambda c, a: c.tag_resource(ResourceArn=a, Tags=[{"Key": "Project", "Value": "other"}])),
        ("tags", lambda c, a: c.tag_resource(ResourceArn=a, Tags=[{"Key": "Extra", "Value": "x"}])),
        ("tags", lambda c, a: c.untag_resource(ResourceArn=a, TagKeys=["Project"])),
    ],
)
def test_drift_is_announced_shown_and_mended(
    aws: Aws, key_arn: str, run_plan: Converge, attribute: str, drift: Any
) -> None:
    run_plan(tables.plan, ARGS)
    drift(aws.client("dynamodb"), describe(aws, "audit")["TableArn"])
    announced = run_plan(tables.plan, ARGS, check=True).result()
    assert [list(item["changes"]) for item in announced["items"]] == [[], [attribute]]
    assert run_plan(tables.plan, ARGS).result() == announced
    assert run_plan(tables.plan, ARGS).changed is False


def test_keys_of_an_existing_table_cannot_change(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    run_plan(tables.plan, ARGS)
    other = ARGS | {"tables": [ARGS["tables"][0] | {"sort_key": "timestamp"}]}
    assert "the sort_key of an existing DynamoDB table cannot change. Fix:" in run_plan(tables.plan, other).errors[0]


def make_bare_table(aws: Aws, **arguments: Any) -> None:
    aws.client("dynamodb").create_table(
        TableName="state",
        AttributeDefinitions=[{"AttributeName": "operation_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "operation_id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        **arguments,
    )


def test_a_table_under_another_key_is_given_ours(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    make_bare_table(aws)
    asked: list[Any] = []  # moto's UpdateTable knows no encryption, so the request itself is looked at
    aws.client("dynamodb").meta.events.register(
        "provide-client-params.dynamodb.UpdateTable", lambda params, **_: asked.append(params.get("SSESpecification"))
    )
    assert run_plan(tables.plan, ARGS).items[0]["changes"]["kms_key"] == {"before": None, "after": key_arn}
    assert {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key_arn} in asked


def test_a_table_of_a_run_that_was_killed_is_finished(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    make_bare_table(aws, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key_arn})
    outcome = run_plan(tables.plan, ARGS)
    assert [item["action"] for item in outcome.items] == ["update", "create"]
    assert run_plan(tables.plan, ARGS).changed is False


def test_removal_switches_the_protection_off_first(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    run_plan(tables.plan, ARGS)
    gone = ARGS | {"state": "absent"}
    assert [item["action"] for item in run_plan(tables.plan, gone).items] == ["delete", "delete"]
    assert aws.client("dynamodb").list_tables()["TableNames"] == []
    assert run_plan(tables.plan, gone).changed is False


def test_recovery_is_switched_on_once_dynamodb_is_ready_for_it(
    aws: Aws, key_arn: str, run_plan: Converge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    client = aws.client("dynamodb")
    switch, refusals = client.update_continuous_backups, iter(range(2))

    def not_yet(**parameters: Any) -> Any:
        if next(refusals, None) is None:
            return switch(**parameters)
        error = {"Error": {"Code": "ContinuousBackupsUnavailableException", "Message": "Backups are being enabled"}}
        raise ClientError(error, "UpdateContinuousBackups")

    monkeypatch.setattr(client, "update_continuous_backups", not_yet)
    assert run_plan(tables.plan, ARGS).errors == []
    assert not run_plan(tables.plan, ARGS).changed

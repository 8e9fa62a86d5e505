"""Preflight tells every mistake at once, each with its fix, and asks AWS exactly one thing."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from aurora_deploy.errors import DeployError
from aurora_deploy.preflight import identity
from aurora_deploy.preflight.check import NO_INVENTORY, Report, check, message
from aurora_deploy.preflight.identity import Caller
from aurora_restore.request import validate

FUNCTIONS = ("snapshot-check", "check-restore-status")
ACCOUNT = "111111111111"

GOOD: dict[str, Any] = {
    "environment_name": "dev",
    "region": "us-east-1",
    "account_id": ACCOUNT,
    "aws_profile": "",
    "aws_config_file": "",
    "name_prefix": "aurora-restore",
    "dynamodb_table_name": "",
    "dynamodb_audit_table_name": "",
    "sns_topic_arn": "",
    "kms_key_id": "",
    "vpc_id": "",
    "subnet_ids": [],
    "security_group_ids": [],
    "log_level": "INFO",
    "max_retries": 3,
    "retry_interval_seconds": 3,
    "retry_backoff_rate": 2,
    "state_machine_timeout_seconds": 7200,
    "approval_max_hours": 24,
    "lambda_timeout_seconds": 300,
    "lambda_memory_size": 256,
    "sns_subscriptions": [],
    "vpc_egress": "endpoints",
    "dynamodb_deletion_protection": True,
    "lambda_audit_ttl_days": 90,
    "lambda_log_retention_days": 14,
    "stepfunctions_log_retention_days": 14,
    "lambda_rds_ca_bundle": "",
    "lambda_reserved_concurrency": {},
    "source_accounts": [],
    "restore_targets": {},
}


def run(account: str = ACCOUNT, unreadable: dict[str, str] | None = None, **changes: Any) -> Report:
    values = {**GOOD, **changes}
    values = {name: value for name, value in values.items() if value is not ...}
    regions = {"us-east-1", "eu-west-1", "eu-west-3"}
    return check(
        values,
        unreadable or {},
        FUNCTIONS,
        regions,
        lambda *_: Caller(account, f"arn:aws:iam::{account}:user/me"),
        validate,
    )


def test_a_good_configuration_has_no_mistakes_and_tells_the_caller() -> None:
    assert run() == Report([], Caller(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/me"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("environment_name", "Dev!"),
        ("account_id", 111111111111),
        ("account_id", "11111111111"),
        ("aws_config_file", "/nowhere/config"),
        ("name_prefix", "Aurora"),
        ("name_prefix", "aurora--restore"),
        ("name_prefix", "aws"),
        ("name_prefix", "a" * 39),
        ("region", "eu-west-2"),
        ("region", "Frankfurt"),
        ("dynamodb_table_name", "ab"),
        ("dynamodb_audit_table_name", "no spaces"),
        ("sns_topic_arn", "aurora-restore-notifications"),
        ("sns_topic_arn", f"arn:aws:sns:eu-west-1:{ACCOUNT}:alerts"),
        ("sns_topic_arn", "arn:aws:sns:us-east-1:999999999999:alerts"),
        ("kms_key_id", "my key"),
        ("kms_key_id", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"),
        ("vpc_id", "vpc-1"),
        ("subnet_ids", "subnet-12345678"),
        ("subnet_ids", ["subnet-12345678"]),
        ("subnet_ids", ["subnet-12345678", "subnet-12345678"]),
        ("security_group_ids", ["sg-12345678"]),
        ("log_level", "verbose"),
        ("max_retries", -1),
        ("max_retries", True),
        ("retry_interval_seconds", 0),
        ("retry_interval_seconds", 60),
        ("retry_backoff_rate", 0.5),
        ("state_machine_timeout_seconds", 599),
        ("approval_max_hours", -1),
        ("state_machine_timeout_seconds", 31_536_001),
        ("lambda_timeout_seconds", 901),
        ("lambda_memory_size", 127),
        ("lambda_memory_size", 10_241),
        ("lambda_memory_size", 256.5),
        ("sns_subscriptions", [{"protocol": "email", "endpoint": "nobody"}]),
        ("sns_subscriptions", [{"protocol": "fax", "endpoint": "1"}]),
        ("vpc_egress", "internet"),
        ("dynamodb_deletion_protection", "perhaps"),
        ("lambda_audit_ttl_days", 0),
        ("lambda_log_retention_days", 10),
        ("stepfunctions_log_retention_days", 0),
        ("lambda_rds_ca_bundle", "/nowhere/ca.pem"),
        ("lambda_reserved_concurrency", {"snapshot-chek": 1}),
        ("lambda_reserved_concurrency", {"snapshot-check": -1}),
        ("source_accounts", [999999999999]),
        ("source_accounts", [ACCOUNT]),
        ("restore_targets", ["orders-staging"]),
        ("restore_targets", {"orders-staging": "orders-prod"}),
        ("restore_targets", {"orders-staging": {"source": {"type": "latest_snapshot", "cluser": "orders-prod"}}}),
    ],
)
def test_each_mistake_is_found_alone_and_names_its_variable(name: str, value: Any) -> None:
    mistakes = run(**{name: value}).mistakes
    assert mistakes
    assert all(name in mistake for mistake in mistakes)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lambda_timeout_seconds", "600"),  # a -e option arrives as text
        ("retry_backoff_rate", "1.5"),
        ("dynamodb_deletion_protection", "false"),
        ("name_prefix", "a" * 38),
        ("kms_key_id", "alias/mine"),
        ("sns_topic_arn", f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"),
        ("sns_subscriptions", [{"protocol": "email", "endpoint": "team@example.com"}]),
        ("lambda_reserved_concurrency", {"snapshot-check": 0}),
        (
            "restore_targets",
            {
                "orders-staging": {
                    "source": {"type": "latest_snapshot", "cluster": "orders-prod", "region": "us-east-1"}
                }
            },
        ),
    ],
)
def test_what_is_right_is_accepted(name: str, value: Any) -> None:
    assert run(**{name: value}).mistakes == []


def test_an_existing_network_needs_all_three_of_its_variables() -> None:
    network = {"subnet_ids": ["subnet-12345678", "subnet-87654321"], "security_group_ids": ["sg-12345678"]}
    assert run(vpc_id="vpc-12345678", **network).mistakes == []
    assert len(run(vpc_id="vpc-12345678").mistakes) == 2
    assert len(run(**network).mistakes) == 2


@pytest.mark.parametrize(
    ("egress", "region", "warned"),
    [("endpoints", "eu-west-1", 1), ("nat", "eu-west-1", 0), ("endpoints", "us-east-1", 0)],
)
def test_a_source_in_another_region_needs_a_way_there(egress: str, region: str, warned: int) -> None:
    source = {"type": "latest_snapshot", "cluster": "orders-prod", "region": region}
    report = run(vpc_egress=egress, restore_targets={"orders-staging": {"source": source}})
    assert report.mistakes == []
    assert len(report.warnings) == warned


SHARED = "arn:aws:rds:eu-west-1:999999999999:cluster-snapshot:s"


@pytest.mark.parametrize(
    "source",
    [{"type": "latest_snapshot", "cluster": "c", "account": "999999999999"}, {"type": "snapshot", "snapshot": SHARED}],
)
def test_a_source_in_another_account_needs_that_account_to_be_named(source: dict[str, Any]) -> None:
    targets = {"orders-staging": {"source": source}}
    (mistake,) = run(restore_targets=targets).mistakes
    assert "999999999999" in mistake
    assert "source_accounts" in mistake
    assert run(restore_targets=targets, source_accounts=["999999999999"]).mistakes == []


@pytest.mark.parametrize("kind", ["latest_restorable_time", "clone"])
def test_a_cluster_in_being_is_restored_within_its_region(kind: str) -> None:
    source = {"type": kind, "cluster": "orders-prod"}
    assert run(restore_targets={"orders-staging": {"source": {**source, "region": "us-east-1"}}}).mistakes == []
    assert run(restore_targets={"orders-staging": {"source": source}}).mistakes == []
    (mistake,) = run(restore_targets={"orders-staging": {"source": {**source, "region": "eu-west-1"}}}).mistakes
    assert "within us-east-1 only" in mistake


def test_an_arn_tells_the_region_of_a_source() -> None:
    targets = {"orders-staging": {"source": {"type": "snapshot", "snapshot": SHARED}}}
    (warning,) = run(restore_targets=targets, source_accounts=["999999999999"]).warnings
    assert "eu-west-1" in warning


def test_the_two_tables_must_differ() -> None:
    assert len(run(dynamodb_table_name="restores", dynamodb_audit_table_name="restores").mistakes) == 1
    assert run(dynamodb_table_name="restores", dynamodb_audit_table_name="audit").mistakes == []


def test_all_mistakes_are_told_in_one_message() -> None:
    report = run(
        account_id="12", lambda_timeout_seconds=901, region="eu-west-2", vpc_egress=..., unreadable={"log_level": "?"}
    )
    text = message(report.mistakes)
    assert text.startswith("5 mistakes")
    assert all(
        name in text for name in ("account_id", "lambda_timeout_seconds", "eu-west-2", "vpc_egress", "log_level")
    )
    assert all(mistake.endswith((".", "?")) for mistake in report.mistakes)


def test_a_near_miss_is_suggested() -> None:
    assert "did you mean snapshot-check?" in run(lambda_reserved_concurrency={"snapshot-chek": 1}).mistakes[0]


def test_without_an_inventory_only_that_is_told() -> None:
    role_defaults = {"kms_key_id": ""}
    assert check(role_defaults, {}, FUNCTIONS, {"us-east-1"}, lambda *_: Caller("", ""), validate) == Report(
        [NO_INVENTORY]
    )


def test_another_account_is_told_with_both_numbers() -> None:
    (mistake,) = run(account="222222222222").mistakes
    assert "222222222222" in mistake
    assert ACCOUNT in mistake


def test_aws_is_not_asked_in_a_wrong_region() -> None:
    report = run(region="eu-west-2", account="222222222222")
    assert report.caller is None
    assert len(report.mistakes) == 1


def test_the_caller_is_whom_aws_names() -> None:
    with mock_aws():
        assert identity.caller("us-east-1", "", "").account == "123456789012"


def test_missing_credentials_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(DeployError, match=r"Unable to locate credentials\. Fix: check the access key"):
        identity.caller("us-east-1", "", "")


def test_an_unknown_profile_says_what_to_do() -> None:
    with pytest.raises(DeployError, match=r"nobody.*Fix: name an existing profile in aws_profile"):
        identity.caller("us-east-1", "nobody", "")


def test_an_expired_token_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "it has expired"}}, "GetCallerIdentity")

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refuse)
    with pytest.raises(DeployError, match=r"ExpiredToken: it has expired\. Fix: renew the credentials"):
        identity.caller("us-east-1", "", "")


def test_regions_whose_arns_begin_otherwise_are_not_offered() -> None:
    assert {"us-east-1", "eu-west-1"} <= identity.known_regions()
    assert not identity.known_regions() & {"cn-north-1", "us-gov-west-1"}


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "eu-isoe-west-1", "eusc-de-east-1"])
def test_a_region_of_another_partition_is_not_taken_for_a_mistyped_one(region: str) -> None:
    (mistake,) = run(region=region).mistakes
    assert mistake.startswith(f"region '{region}' is not one of the commercial regions. Fix: ")

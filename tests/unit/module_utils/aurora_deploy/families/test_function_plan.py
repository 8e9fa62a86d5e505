from __future__ import annotations

from typing import Any

import pytest

from aurora_deploy.diff import UNKNOWN
from aurora_deploy.errors import DeployError
from aurora_deploy.families.function_plan import Code, Placement, declare, versioned

PLACE = Placement("vpc-1", ["subnet-b", "subnet-a"], ["sg-1"])
ARGS: dict[str, Any] = {
    "name_prefix": "ar",
    "account_id": "123456789012",
    "steps": ["snapshot-check", "swap-clusters"],
    "runtime": "python3.13",
    "architecture": "arm64",
    "memory": 256,
    "timeout": 300,
    "overrides": {"swap-clusters": {"timeout": 900}},
    "environment": {"REGION": "eu-west-1", "RETRY_BACKOFF_RATE": 2.0, "MAX_RETRIES": 3},
    "dead_letter_target": "arn:aws:sns:eu-west-1:123456789012:ar-notifications",
    "log_level": "warning",
    "reserved_concurrency": {"swap-clusters": 1},
    "asynchronous": ["swap-clusters"],
    "async_retries": 2,
    "async_max_age": 3600,
    "tags": {"Project": "ar"},
}


def test_name_handler_role_and_log_group_follow_from_the_step() -> None:
    function = declare(ARGS, "hash", "key", PLACE)["ar-snapshot-check"]
    assert function["handler"] == "aurora_restore.handlers.snapshot_check.handler"
    assert function["role"] == "arn:aws:iam::123456789012:role/ar-snapshot-check-role"
    assert function["log_group"] == "/aws/lambda/ar-snapshot-check"


def test_the_environment_is_text_and_tells_each_function_its_own_limits() -> None:
    functions = declare(ARGS, "hash", "key", PLACE)
    assert functions["ar-swap-clusters"]["environment"] == {
        "REGION": "eu-west-1",
        "RETRY_BACKOFF_RATE": "2",
        "MAX_RETRIES": "3",
        "VPC_ID": "vpc-1",
        "SUBNET_IDS": "subnet-a,subnet-b",
        "SECURITY_GROUP_IDS": "sg-1",
        "KMS_KEY_ID": "key",
        "LAMBDA_TIMEOUT_SECONDS": "900",
        "LAMBDA_MEMORY_SIZE": "256",
    }
    assert functions["ar-snapshot-check"]["environment"]["LAMBDA_TIMEOUT_SECONDS"] == "300"


def test_what_does_not_exist_yet_is_said_to_be_unknown() -> None:
    place = Placement(UNKNOWN, [UNKNOWN], [UNKNOWN])
    environment = declare(ARGS, "hash", "key", place)["ar-snapshot-check"]["environment"]
    assert {environment[name] for name in ("VPC_ID", "SUBNET_IDS", "SECURITY_GROUP_IDS")} == {UNKNOWN}


def test_log_levels_take_the_names_of_lambda() -> None:
    assert declare(ARGS, "hash", "key", PLACE)["ar-swap-clusters"]["log_level"] == "WARN"


def test_settings_for_a_function_that_does_not_exist_are_refused() -> None:
    with pytest.raises(DeployError, match="swap, which are no functions"):
        declare({**ARGS, "reserved_concurrency": {"swap": 1}}, "hash", "key", PLACE)


def test_a_setting_that_cannot_differ_by_step_is_refused_and_not_passed_over() -> None:
    with pytest.raises(DeployError, match=r"lambda_overrides set memroy, which .* Fix: use memory and timeout"):
        declare({**ARGS, "overrides": {"swap-clusters": {"memroy": 512}}}, "hash", "key", PLACE)


def test_only_what_is_called_asynchronously_has_settings_for_it() -> None:
    functions = declare(ARGS, "hash", "key", PLACE)
    assert [name for name, function in functions.items() if "async_retries" in function] == ["ar-swap-clusters"]


def test_tags_concurrency_and_alias_are_not_part_of_a_version() -> None:
    function = declare(ARGS, "hash", "key", PLACE)["ar-swap-clusters"]
    assert function.keys() - versioned(function).keys() == {
        "async_max_age",
        "async_retries",
        "live",
        "reserved_concurrency",
        "tags",
    }


def test_a_missing_package_names_how_to_build_it() -> None:
    with pytest.raises(DeployError, match=r"nowhere\.zip cannot be read.*--tags lambda"):
        Code.load("nowhere.zip")

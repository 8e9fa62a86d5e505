from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aurora_deploy import engine
from aurora_deploy.clients import Aws
from aurora_deploy.families import functions
from aurora_deploy.families.package import write_zip

from .conftest import Converge

ACCOUNT = "123456789012"
_TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.fixture
def args(aws: Aws, key_arn: str, tmp_path: Path) -> dict[str, Any]:
    """Two functions in an existing network; their roles are there."""
    steps, package = ["snapshot-check", "notify-start"], tmp_path / "app.zip"
    write_zip(package, {"aurora_restore/__init__.py": b""})
    for step in steps:
        aws.client("iam").create_role(RoleName=f"ar-{step}-role", AssumeRolePolicyDocument=json.dumps(_TRUST))
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return {
        "name_prefix": "ar",
        "account_id": ACCOUNT,
        "steps": steps,
        "package": str(package),
        "runtime": "python3.13",
        "architecture": "arm64",
        "memory": 256,
        "timeout": 300,
        "overrides": {},
        "environment": {},
        "vpc_id": vpc,
        "subnet_ids": [ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]],
        "security_group_ids": [ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]],
        "kms_key": key_arn,
        "dead_letter_target": f"arn:aws:sns:us-east-1:{ACCOUNT}:ar-notifications",
        "log_level": "INFO",
        "reserved_concurrency": {},
        "asynchronous": [],
        "async_retries": 2,
        "async_max_age": 3600,
        "alias": "live",
        "keep_versions": 5,
        "tags": {"Project": "ar"},
        "state": "present",
    }


def test_a_function_whose_reply_was_lost_is_finished_and_not_reported_as_a_conflict(
    aws: Aws, run_plan: Converge, args: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOOK_AGAIN_SECONDS", 0)
    client = aws.client("lambda")
    create = client.create_function

    def repeated_by_botocore(**parameters: Any) -> Any:
        create(**parameters)
        return create(**parameters)  # Lambda: ResourceConflictException, the function exists

    monkeypatch.setattr(client, "create_function", repeated_by_botocore)
    assert run_plan(functions.plan, args).errors == []
    assert client.get_alias(FunctionName="ar-notify-start", Name="live")["FunctionVersion"] == "1"


@pytest.mark.parametrize(
    "left_behind",
    [
        pytest.param([{"LastUpdateStatus": "Failed"}], id="a change that failed"),
        pytest.param([{"State": "Pending"}] * 2, id="a function that a killed run began"),
        pytest.param([{"LastUpdateStatus": "InProgress"}] * 2, id="a change that a killed run began"),
    ],
)
def test_whatever_a_run_left_behind_the_next_one_goes_on(
    aws: Aws,
    run_plan: Converge,
    args: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    left_behind: list[dict[str, str]],
) -> None:
    run_plan(functions.plan, args)
    one = {**args, "steps": ["notify-start"], "memory": 512}
    client, changed = aws.client("lambda"), []
    get, configure = client.get_function, client.update_function_configuration
    states = iter([{}, *left_behind])  # the first answer is the reading

    def get_function(**parameters: Any) -> Any:
        answer = get(**parameters)
        last = left_behind[-1] if left_behind[-1].get("LastUpdateStatus") == "Failed" and not changed else {}
        answer["Configuration"] |= next(states, last)
        return answer

    def update(**parameters: Any) -> Any:
        assert next(states, None) is None, "Lambda refuses a change while another one is under way"
        changed.append(parameters)
        return configure(**parameters)

    monkeypatch.setattr(client, "get_function", get_function)
    monkeypatch.setattr(client, "update_function_configuration", update)
    monkeypatch.setattr(functions.FunctionFamily, "others", lambda *_: [])
    assert run_plan(functions.plan, one).errors == []
    assert client.get_function_configuration(FunctionName="ar-notify-start")["MemorySize"] == 512

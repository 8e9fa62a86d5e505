from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from aurora_deploy.clients import Aws
from aurora_deploy.families import log_groups, propagation

from .conftest import Converge

GROUP = "/aws/lambda/ar-sweep"


def args(key_arn: str) -> dict[str, Any]:
    return {
        "names": [GROUP],
        "remove_others_with_prefix": "",
        "retention_days": 14,
        "delivery_policy": "",
        "kms_key": key_arn,
        "tags": {"Project": "ar"},
        "state": "present",
    }


def refuse(aws: Aws, monkeypatch: pytest.MonkeyPatch, times: int, code: str, message: str) -> None:
    """Let CloudWatch Logs refuse the first creations of a group."""
    monkeypatch.setattr(propagation.time, "sleep", lambda _: None)
    client, left = aws.client("logs"), iter(range(times))
    create = client.create_log_group

    def not_yet(**parameters: Any) -> Any:
        if next(left, None) is None:
            return create(**parameters)
        raise ClientError({"Error": {"Code": code, "Message": message}}, "CreateLogGroup")

    monkeypatch.setattr(client, "create_log_group", not_yet)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "AccessDeniedException",
            "The specified KMS key does not exist or is not allowed to be used with Arn 'arn:aws:logs:us-east-1:...'",
        ),
        ("InvalidParameterException", "The specified KMS Key Id could not be found. '/aws/lambda/ar-sweep'"),
    ],
)
def test_a_key_whose_policy_is_not_everywhere_yet_is_waited_for(
    aws: Aws, key_arn: str, run_plan: Converge, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    refuse(aws, monkeypatch, 2, code, message)
    assert run_plan(log_groups.plan, args(key_arn)).errors == []
    [group] = aws.client("logs").describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    assert (group["kmsKeyId"], group["retentionInDays"]) == (key_arn, 14)


def test_a_caller_who_may_not_make_groups_is_told_at_once(
    aws: Aws, key_arn: str, run_plan: Converge, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = "User: arn:aws:iam::123456789012:user/me is not authorized to perform: logs:CreateLogGroup"
    refuse(aws, monkeypatch, 1, "AccessDeniedException", message)
    [error] = run_plan(log_groups.plan, args(key_arn)).errors
    assert "not authorized to perform: logs:CreateLogGroup. Fix: allow the caller" in error

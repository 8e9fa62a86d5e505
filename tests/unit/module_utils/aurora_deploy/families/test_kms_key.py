from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from aurora_deploy.clients import Aws
from aurora_deploy.diff import UNKNOWN
from aurora_deploy.errors import DeployError
from aurora_deploy.families import kms_key

from .conftest import Answer, Converge

ALIAS = "alias/aurora-restore"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}
    ],
}
ARGS: dict[str, Any] = {
    "alias": ALIAS,
    "existing_key": "",
    "description": "for tests",
    "policy": POLICY,
    "tags": {"Project": "aurora-restore", "Environment": "test"},
    "deletion_window_days": 7,
    "state": "present",
}


def described(aws: Aws) -> dict[str, Any]:
    metadata: dict[str, Any] = aws.client("kms").describe_key(KeyId=ALIAS)["KeyMetadata"]
    return metadata


def keys(aws: Aws) -> list[str]:
    return [key["KeyId"] for key in aws.client("kms").list_keys()["Keys"]]


def test_a_key_is_made_as_declared_and_then_left_alone(aws: Aws, run_plan: Converge) -> None:
    assert run_plan(kms_key.plan, ARGS).items[0]["action"] == "create"
    key_id = described(aws)["KeyId"]
    client = aws.client("kms")
    assert client.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"] is True
    assert json.loads(client.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]) == POLICY
    tags = {tag["TagKey"]: tag["TagValue"] for tag in client.list_resource_tags(KeyId=key_id)["Tags"]}
    assert tags == {"Project": "aurora-restore", "Environment": "test", "Purpose": "customer-key"}
    assert run_plan(kms_key.plan, ARGS).changed is False


def test_later_tasks_get_to_know_the_key(aws: Aws, answers: Answer) -> None:
    assert answers(kms_key.plan, ARGS, check=True) == {f"KMS key {ALIAS}": UNKNOWN}
    made = answers(kms_key.plan, ARGS)
    assert made == {f"KMS key {ALIAS}": described(aws)["Arn"]}
    assert answers(kms_key.plan, ARGS) == answers(kms_key.plan, ARGS, check=True) == made
    given = {**ARGS, "existing_key": described(aws)["KeyId"]}
    assert answers(kms_key.plan, given) == {f"KMS key {given['existing_key']}": described(aws)["Arn"]}
    assert answers(kms_key.plan, {**ARGS, "state": "absent"}) == {}


@pytest.mark.parametrize(
    ("attribute", "drift"),
    [
        ("state", lambda c, k: c.disable_key(KeyId=k)),
        ("alias", lambda c, k: c.delete_alias(AliasName=ALIAS)),
        ("rotation", lambda c, k: c.disable_key_rotation(KeyId=k)),
        ("description", lambda c, k: c.update_key_description(KeyId=k, Description="other")),
        (
            "policy",
            lambda c, k: c.put_key_policy(
                KeyId=k, PolicyName="default", Policy=json.dumps(POLICY).replace("kms:*", "kms:Put*")
            ),
        ),
        ("tags", lambda c, k: c.tag_resource(KeyId=k, Tags=[{"TagKey": "Extra", "TagValue": "x"}])),
    ],
)
def test_drift_is_announced_shown_and_mended(aws: Aws, run_plan: Converge, attribute: str, drift: Any) -> None:
    run_plan(kms_key.plan, ARGS)
    drift(aws.client("kms"), described(aws)["KeyId"])
    announced = run_plan(kms_key.plan, ARGS, check=True).result()
    assert list(announced["items"][0]["changes"]) == [attribute]
    assert run_plan(kms_key.plan, ARGS).result() == announced
    assert run_plan(kms_key.plan, ARGS).changed is False
    assert len(keys(aws)) == 1


def test_a_run_killed_before_naming_the_key_never_makes_a_second_one(
    aws: Aws, run_plan: Converge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(**_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(aws.client("kms"), "create_alias", kill)
        with pytest.raises(KeyboardInterrupt):
            run_plan(kms_key.plan, ARGS)
    first = keys(aws)
    assert run_plan(kms_key.plan, ARGS).items[0]["action"] == "update"
    assert keys(aws) == first == [described(aws)["KeyId"]]
    assert run_plan(kms_key.plan, ARGS).changed is False


def test_a_creation_whose_reply_was_lost_makes_no_second_key(
    aws: Aws, run_plan: Converge, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = aws.client("kms", retries=False)
    create = once.create_key

    def lose_the_reply(**arguments: Any) -> None:
        create(**arguments)
        raise ConnectionClosedError(endpoint_url="https://kms")

    monkeypatch.setattr(once, "create_key", lose_the_reply)
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert run_plan(kms_key.plan, ARGS).errors == []
    assert keys(aws) == [described(aws)["KeyId"]]


def test_a_creation_that_was_throttled_is_tried_again(
    aws: Aws, run_plan: Converge, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = aws.client("kms", retries=False)
    create = once.create_key
    throttled = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "CreateKey")
    answers = [throttled, throttled]

    def answer(**arguments: Any) -> Any:
        if answers:
            raise answers.pop()
        return create(**arguments)

    monkeypatch.setattr(once, "create_key", answer)
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert run_plan(kms_key.plan, ARGS).errors == []
    assert len(keys(aws)) == 1


def test_a_key_of_another_deployment_is_not_taken(aws: Aws, run_plan: Converge) -> None:
    run_plan(kms_key.plan, ARGS | {"alias": "alias/other", "tags": {}})
    assert run_plan(kms_key.plan, ARGS).items[0]["action"] == "create"
    assert len(keys(aws)) == 2


def test_removal_schedules_the_deletion_and_a_new_deployment_takes_the_key_back(aws: Aws, run_plan: Converge) -> None:
    run_plan(kms_key.plan, ARGS)
    key_id = described(aws)["KeyId"]
    gone = ARGS | {"state": "absent"}
    assert run_plan(kms_key.plan, gone).items[0]["action"] == "delete"
    assert aws.client("kms").describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert run_plan(kms_key.plan, gone).changed is False
    announced = run_plan(kms_key.plan, ARGS, check=True).result()
    assert announced["items"][0]["changes"]["state"] == {"before": "PendingDeletion", "after": "Enabled"}
    assert run_plan(kms_key.plan, ARGS).result() == announced
    assert described(aws)["KeyId"] == key_id
    assert run_plan(kms_key.plan, ARGS).changed is False


def test_an_existing_key_is_checked_and_never_changed(aws: Aws, run_plan: Converge) -> None:
    client = aws.client("kms")
    good = client.create_key(KeySpec="SYMMETRIC_DEFAULT", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    outcome = run_plan(kms_key.plan, ARGS | {"existing_key": good})
    assert (outcome.changed, outcome.items, keys(aws)) == (False, [], [good])
    client.disable_key(KeyId=good)
    with pytest.raises(DeployError, match=r"KeyState is Disabled, not Enabled\. Fix:"):
        run_plan(kms_key.plan, ARGS | {"existing_key": good})
    signing = client.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    with pytest.raises(DeployError, match="KeyUsage is SIGN_VERIFY"):
        run_plan(kms_key.plan, ARGS | {"existing_key": signing})
    with pytest.raises(DeployError, match="does not exist"):
        run_plan(kms_key.plan, ARGS | {"existing_key": "00000000-0000-0000-0000-000000000000"})


def test_an_alias_on_a_key_of_the_wrong_kind_is_refused(aws: Aws, run_plan: Converge) -> None:
    signing = aws.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    aws.client("kms").create_alias(AliasName=ALIAS, TargetKeyId=signing)
    assert "has the wrong KeySpec and KeyUsage" in run_plan(kms_key.plan, ARGS).errors[0]


@pytest.mark.parametrize("check", [True, False])
def test_a_key_to_which_somebody_moved_the_alias_is_left_alone(aws: Aws, run_plan: Converge, check: bool) -> None:
    run_plan(kms_key.plan, ARGS)
    client, ours = aws.client("kms"), described(aws)["KeyId"]
    kind = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}
    other = client.create_key(Description="not ours", **kind)["KeyMetadata"]["KeyId"]
    client.update_alias(AliasName=ARGS["alias"], TargetKeyId=other)
    [error] = run_plan(kms_key.plan, ARGS, check=check).errors
    assert f"names the key {other}, but this deployment's key is {ours}. Fix:" in error
    assert client.describe_key(KeyId=other)["KeyMetadata"]["Description"] == "not ours"


def test_a_run_waits_until_the_key_is_known_by_its_alias(
    aws: Aws, run_plan: Converge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    client = aws.client("kms")
    describe, late = client.describe_key, iter(range(3))  # the first is the engine's own reading
    not_found = {"Error": {"Code": "NotFoundException", "Message": "no such alias"}}

    def answer(**parameters: Any) -> Any:
        if parameters["KeyId"].startswith("alias/") and next(late, None) is not None:
            raise client.exceptions.NotFoundException(not_found, "DescribeKey")
        return describe(**parameters)

    monkeypatch.setattr(client, "describe_key", answer)
    assert run_plan(kms_key.plan, ARGS).errors == []
    assert next(late, None) is None

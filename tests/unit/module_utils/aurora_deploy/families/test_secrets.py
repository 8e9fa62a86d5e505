from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aurora_deploy.clients import Aws
from aurora_deploy.families import propagation, secrets

from .conftest import Converge

MASTER, APP = "aurora-restore/master-credentials", "aurora-restore/app-credentials"
ARGS: dict[str, Any] = {
    "secrets": [
        {"name": MASTER, "username": "aurora_admin", "description": "master", "master": True},
        {"name": APP, "username": "app", "description": "app", "master": False},
    ],
    "kms_key": "alias/aurora-restore",
    "recovery_window_days": 7,
    "tags": {"Project": "aurora-restore"},
    "state": "present",
}


def value(aws: Aws, name: str) -> str:
    return str(aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])


def test_credentials_are_generated_once_and_never_shown(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    first = run_plan(secrets.plan, ARGS).result()
    credentials = {name: json.loads(value(aws, name)) for name in (MASTER, APP)}
    assert (credentials[MASTER]["username"], credentials[APP]["username"]) == ("aurora_admin", "app")
    assert credentials[MASTER]["password"] != credentials[APP]["password"]
    assert not any(credentials[name]["password"] in json.dumps(first) for name in credentials)
    assert aws.client("secretsmanager").describe_secret(SecretId=MASTER)["KmsKeyId"] == key_arn
    assert run_plan(secrets.plan, ARGS).changed is False
    assert {name: json.loads(value(aws, name)) for name in (MASTER, APP)} == credentials


def test_generated_passwords_follow_the_rules_of_aurora() -> None:
    passwords = {secrets.generate_password() for _ in range(500)}
    assert len(passwords) == 500
    for password in passwords:
        assert secrets.mistake_in(json.dumps({"username": "u", "password": password}), master=True) is None


@pytest.mark.parametrize(
    ("stored", "mistake"),
    [
        ("hunter22", "not JSON"),
        ('["hunter22"]', "not a JSON object"),
        ('{"password": "hunter22"}', "no username"),
        ('{"username": "u"}', "no password"),
        ('{"username": "u", "password": ""}', "no password"),
        ('{"username": "u", "password": 22}', "no password"),
        ('{"username": "u", "password": "hunter2"}', "8 to 41"),
        ('{"username": "u", "password": "hunter 22"}', "8 to 41"),
        ('{"username": "u", "password": "hunter/22"}', "8 to 41"),
        ('{"username": "u", "password": "hünter22"}', "8 to 41"),
        (json.dumps({"username": "u", "password": "x" * 42}), "8 to 41"),
    ],
)
def test_a_malformed_secret_is_named_with_its_fix_and_without_its_value(
    aws: Aws, key_arn: str, run_plan: Converge, stored: str, mistake: str
) -> None:
    aws.client("secretsmanager").create_secret(Name=MASTER, SecretString=stored)
    result = run_plan(secrets.plan, ARGS).result()
    assert f"the secret {MASTER} is malformed" in result["msg"]
    assert mistake in result["msg"]
    assert "Fix:" in result["msg"]
    assert "nter" not in json.dumps(result)
    assert value(aws, MASTER) == stored


def test_an_application_password_may_be_anything() -> None:
    assert secrets.mistake_in(json.dumps({"username": "app", "password": 'q"%$/ü @'}), master=False) is None


def test_existing_credentials_of_other_users_are_kept(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    stored = '{"username": "postgres", "password": "correct-horse"}'
    aws.client("secretsmanager").create_secret(Name=MASTER, SecretString=stored)
    outcome = run_plan(secrets.plan, ARGS)
    assert [item["action"] for item in outcome.items] == ["update", "create"]
    assert sorted(outcome.items[0]["changes"]) == ["description", "kms_key", "tags"]
    assert value(aws, MASTER) == stored
    assert run_plan(secrets.plan, ARGS).changed is False


def test_a_secret_without_a_value_gets_one(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    aws.client("secretsmanager").create_secret(Name=APP)
    announced = run_plan(secrets.plan, ARGS, check=True).result()
    assert announced["items"][1]["changes"]["credentials"] == {"before": "absent", "after": "present"}
    assert run_plan(secrets.plan, ARGS).result() == announced
    assert json.loads(value(aws, APP))["username"] == "app"
    assert run_plan(secrets.plan, ARGS).changed is False


@pytest.mark.parametrize(
    ("attribute", "drift"),
    [
        ("description", lambda c: c.update_secret(SecretId=APP, Description="other")),
        ("kms_key", lambda c: c.update_secret(SecretId=APP, KmsKeyId="alias/aws/secretsmanager")),
        ("tags", lambda c: c.tag_resource(SecretId=APP, Tags=[{"Key": "Extra", "Value": "x"}])),
        ("tags", lambda c: c.untag_resource(SecretId=APP, TagKeys=["Project"])),
        ("scheduled_for_deletion", lambda c: c.delete_secret(SecretId=APP)),
    ],
)
def test_drift_is_announced_shown_and_mended(
    aws: Aws, key_arn: str, run_plan: Converge, attribute: str, drift: Any
) -> None:
    run_plan(secrets.plan, ARGS)
    before = value(aws, APP)
    drift(aws.client("secretsmanager"))
    announced = run_plan(secrets.plan, ARGS, check=True).result()
    assert [list(item["changes"]) for item in announced["items"]] == [[], [attribute]]
    assert run_plan(secrets.plan, ARGS).result() == announced
    assert run_plan(secrets.plan, ARGS).changed is False
    assert value(aws, APP) == before


def test_removal_can_be_taken_back_by_the_next_deployment(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    run_plan(secrets.plan, ARGS)
    before = value(aws, MASTER)
    gone = ARGS | {"state": "absent"}
    assert [item["action"] for item in run_plan(secrets.plan, gone).items] == ["delete", "delete"]
    assert run_plan(secrets.plan, gone).changed is False
    run_plan(secrets.plan, ARGS)
    assert value(aws, MASTER) == before


def test_removal_at_once_leaves_nothing(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    run_plan(secrets.plan, ARGS)
    run_plan(secrets.plan, ARGS | {"state": "absent", "recovery_window_days": 0})
    assert aws.client("secretsmanager").list_secrets(IncludePlannedDeletion=True)["SecretList"] == []


def test_removal_does_not_stumble_over_a_malformed_secret(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    aws.client("secretsmanager").create_secret(Name=APP, SecretString="not json")
    assert run_plan(secrets.plan, ARGS | {"state": "absent"}).items[1]["action"] == "delete"


def test_a_secret_is_made_again_once_the_one_that_was_deleted_at_once_is_gone(
    aws: Aws, key_arn: str, run_plan: Converge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(propagation.time, "sleep", lambda _: None)
    client, left = aws.client("secretsmanager"), iter(range(2))
    create = client.create_secret
    message = "You can't create this secret because a secret with this name is already scheduled for deletion."

    def not_yet(**parameters: Any) -> Any:
        if next(left, None) is None:
            return create(**parameters)
        raise ClientError({"Error": {"Code": "InvalidRequestException", "Message": message}}, "CreateSecret")

    monkeypatch.setattr(client, "create_secret", not_yet)
    assert run_plan(secrets.plan, ARGS).errors == []
    assert json.loads(value(aws, APP))["username"] == "app"

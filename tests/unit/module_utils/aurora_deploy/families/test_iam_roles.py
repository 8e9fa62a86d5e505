from __future__ import annotations

import json
from typing import Any

import pytest

from aurora_deploy.clients import Aws
from aurora_deploy.diff import UNKNOWN
from aurora_deploy.families import iam_roles

from .conftest import Converge

ROLE = "aurora-restore-notify-start-role"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
PUBLISH = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}]}
DECRYPT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "alias/aurora-restore"}],
}
ARGS: dict[str, Any] = {
    "roles": [
        {"name": ROLE, "trust_policy": TRUST, "policies": {"publish": PUBLISH, "decrypt": DECRYPT}},
        {"name": "aurora-restore-step-functions-role", "trust_policy": TRUST, "policies": {"publish": PUBLISH}},
    ],
    "remove_others_with_prefix": "aurora-restore-",
    "kms_key": "alias/aurora-restore",
    "permissions_boundary": "",
    "tags": {"Project": "aurora-restore"},
    "state": "present",
}


def test_roles_are_made_as_declared_and_then_left_alone(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    assert [item["action"] for item in run_plan(iam_roles.plan, ARGS).items] == ["create", "create"]
    client = aws.client("iam")
    role = client.get_role(RoleName=ROLE)["Role"]
    assert role["AssumeRolePolicyDocument"] == TRUST
    assert role["Tags"] == [{"Key": "Project", "Value": "aurora-restore"}]
    assert sorted(client.list_role_policies(RoleName=ROLE)["PolicyNames"]) == ["decrypt", "publish"]
    assert run_plan(iam_roles.plan, ARGS).changed is False


def test_policies_name_the_key_by_its_arn(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    run_plan(iam_roles.plan, ARGS)
    document = aws.client("iam").get_role_policy(RoleName=ROLE, PolicyName="decrypt")["PolicyDocument"]
    assert document["Statement"][0]["Resource"] == key_arn


def test_check_mode_on_an_empty_account_announces_the_roles(aws: Aws, run_plan: Converge) -> None:
    outcome = run_plan(iam_roles.plan, ARGS, check=True)
    assert UNKNOWN in json.dumps(outcome.items[0]["changes"]["policies"])
    assert aws.client("iam").list_roles()["Roles"] == []


def managed(client: Any) -> str:
    return str(client.create_policy(PolicyName="extra", PolicyDocument=json.dumps(PUBLISH))["Policy"]["Arn"])


@pytest.mark.parametrize(
    ("attribute", "drift"),
    [
        (
            "trust_policy",
            lambda c: c.update_assume_role_policy(
                RoleName=ROLE, PolicyDocument=json.dumps(TRUST).replace("lambda", "ec2")
            ),
        ),
        (
            "policies",
            lambda c: c.put_role_policy(
                RoleName=ROLE, PolicyName="publish", PolicyDocument=json.dumps(PUBLISH).replace("sns:Publish", "sns:*")
            ),
        ),
        (
            "policies",
            lambda c: c.put_role_policy(RoleName=ROLE, PolicyName="more", PolicyDocument=json.dumps(PUBLISH)),
        ),
        ("policies", lambda c: c.delete_role_policy(RoleName=ROLE, PolicyName="decrypt")),
        ("managed_policies", lambda c: c.attach_role_policy(RoleName=ROLE, PolicyArn=managed(c))),
        (
            "permissions_boundary",
            lambda c: c.put_role_permissions_boundary(RoleName=ROLE, PermissionsBoundary=managed(c)),
        ),
        ("tags", lambda c: c.untag_role(RoleName=ROLE, TagKeys=["Project"])),
        ("tags", lambda c: c.tag_role(RoleName=ROLE, Tags=[{"Key": "Extra", "Value": "x"}])),
    ],
)
def test_drift_is_announced_shown_and_mended(
    aws: Aws, key_arn: str, run_plan: Converge, attribute: str, drift: Any
) -> None:
    run_plan(iam_roles.plan, ARGS)
    drift(aws.client("iam"))
    announced = run_plan(iam_roles.plan, ARGS, check=True).result()
    assert [list(item["changes"]) for item in announced["items"]] == [[attribute], []]
    assert run_plan(iam_roles.plan, ARGS).result() == announced
    assert run_plan(iam_roles.plan, ARGS).changed is False


def test_a_policy_spelled_otherwise_is_no_drift(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    run_plan(iam_roles.plan, ARGS)
    spelled = {"Statement": {"Resource": ["*"], "Action": ["sns:Publish"], "Effect": "Allow"}, "Version": "2012-10-17"}
    aws.client("iam").put_role_policy(RoleName=ROLE, PolicyName="publish", PolicyDocument=json.dumps(spelled))
    assert run_plan(iam_roles.plan, ARGS).changed is False


def test_a_boundary_is_set_on_every_role(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    run_plan(iam_roles.plan, ARGS)
    bounded = ARGS | {"permissions_boundary": managed(aws.client("iam"))}
    run_plan(iam_roles.plan, bounded)
    boundary = aws.client("iam").get_role(RoleName=ROLE)["Role"]["PermissionsBoundary"]
    assert boundary["PermissionsBoundaryArn"] == bounded["permissions_boundary"]
    assert run_plan(iam_roles.plan, bounded).changed is False


def test_a_role_of_a_run_that_was_killed_is_finished(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    aws.client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))
    assert [item["action"] for item in run_plan(iam_roles.plan, ARGS).items] == ["update", "create"]
    assert run_plan(iam_roles.plan, ARGS).changed is False


def test_removal_takes_the_policies_off_first(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    run_plan(iam_roles.plan, ARGS)
    client = aws.client("iam")
    client.attach_role_policy(RoleName=ROLE, PolicyArn=managed(client))
    gone = ARGS | {"state": "absent"}
    assert [item["action"] for item in run_plan(iam_roles.plan, gone).items] == ["delete", "delete"]
    assert client.list_roles()["Roles"] == []
    assert run_plan(iam_roles.plan, gone).changed is False


def test_any_number_of_roles_is_read_with_one_call(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    run_plan(iam_roles.plan, ARGS)
    calls: list[str] = []
    aws.client("iam").meta.events.register("before-call.iam.*", lambda model, **_: calls.append(model.name))
    run_plan(iam_roles.plan, ARGS)
    assert calls == ["GetAccountAuthorizationDetails"]


def test_the_role_of_a_step_that_is_gone_goes_and_those_of_others_stay(
    aws: Aws, key_arn: str, run_plan: Converge
) -> None:
    run_plan(iam_roles.plan, ARGS)
    trust = json.dumps(TRUST)
    for name, project in (("aurora-restore-2-step-role", "aurora-restore-2"), ("other-role", "aurora-restore")):
        tags = [{"Key": "Project", "Value": project}]
        aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=tags)
    fewer = {**ARGS, "roles": ARGS["roles"][1:]}
    announced, done = run_plan(iam_roles.plan, fewer, check=True), run_plan(iam_roles.plan, fewer)
    assert announced.items == done.items
    assert [item["name"] for item in done.items if item["action"] == "delete"] == [ROLE]
    names = {role["RoleName"] for role in aws.client("iam").list_roles()["Roles"]}
    assert names == {"aurora-restore-step-functions-role", "aurora-restore-2-step-role", "other-role"}

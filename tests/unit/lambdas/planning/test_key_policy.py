"""What a key's policy says of a role that uses the key through RDS; what the call alone decides stays open."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aurora_restore.planning.key_policy import (
    CREATE_GRANT,
    DESCRIBE,
    NEEDED,
    Verdict,
    judge,
    owners_statement,
    statement,
)

ACCOUNT = "123456789012"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/aurora-restore-copy-snapshot-role"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/aurora-restore-copy-snapshot-role/function"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/team"


def rule(principal: Any = ROOT, effect: str = "Allow", **rest: Any) -> dict[str, Any]:
    named = principal if principal == "*" or isinstance(principal, dict) else {"AWS": principal}
    return {"Effect": effect, "Principal": named, "Action": "kms:*", "Resource": "*", **rest}


def verdict(*rules: dict[str, Any], action: str = CREATE_GRANT) -> Verdict:
    return judge({"Version": "2012-10-17", "Statement": list(rules)}, ROLE, KEY, action).verdict


@pytest.mark.parametrize("principal", ["*", ROOT, ACCOUNT, ROLE, [f"{ROLE}-2", ROLE], {"AWS": "*"}])
def test_a_statement_for_the_account_or_the_role_allows(principal: Any) -> None:
    assert verdict(rule(principal)) == Verdict.ALLOWED


@pytest.mark.parametrize(
    "principal",
    [
        f"{ROLE}-2",
        "arn:aws:iam::210987654321:root",
        "AROAEXAMPLEOFAREMOVEDROLE",
        {"Service": "rds.amazonaws.com"},
        f"arn:aws:sts::{ACCOUNT}:assumed-role/aurora-restore/function",
    ],
)
def test_a_statement_for_others_does_not(principal: Any) -> None:
    assert verdict(rule(principal)) == Verdict.LACKING


def test_a_session_of_the_role_may_be_the_one_or_not() -> None:
    assert verdict(rule(SESSION)) == Verdict.UNCERTAIN
    assert verdict(rule(), rule(SESSION, "Deny")) == Verdict.UNCERTAIN


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"Action": ["kms:Decrypt", "KMS:create*"]}, Verdict.ALLOWED),
        ({"Action": ["kms:Decrypt", "kms:DescribeKey"]}, Verdict.LACKING),
        ({"Action": "kms:CreateGran?"}, Verdict.ALLOWED),
        ({"Resource": KEY}, Verdict.ALLOWED),
        ({"Resource": KEY.replace("team", "other")}, Verdict.LACKING),
        ({"NotResource": KEY}, Verdict.LACKING),
    ],
)
def test_action_and_resource_must_fit(element: dict[str, Any], expected: Verdict) -> None:
    assert verdict(rule(**element)) == expected


def test_everything_but_an_action() -> None:
    others = {key: value for key, value in rule().items() if key != "Action"}
    assert verdict({**others, "NotAction": "kms:Decrypt"}) == Verdict.ALLOWED
    assert verdict({**others, "NotAction": "kms:Create*"}) == Verdict.LACKING


def test_everybody_but_a_principal_stays_open() -> None:
    others = {key: value for key, value in rule().items() if key != "Principal"}
    assert verdict({**others, "NotPrincipal": {"AWS": ROOT}}) == Verdict.UNCERTAIN


def test_a_policy_of_one_statement_need_not_be_a_list() -> None:
    assert judge({"Statement": rule()}, ROLE, KEY, DESCRIBE).verdict == Verdict.ALLOWED


def test_a_deny_wins_and_is_named() -> None:
    found = judge({"Statement": [rule(), rule("*", "Deny", Sid="Frozen")]}, ROLE, KEY, CREATE_GRANT)
    assert (found.verdict, found.sid) == (Verdict.DENIED, "Frozen")
    assert verdict(rule(), rule(f"{ROLE}-2", "Deny")) == Verdict.ALLOWED


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"StringEquals": {"kms:ViaService": "rds.eu-west-1.amazonaws.com"}}, Verdict.ALLOWED),
        ({"StringEquals": {"kms:ViaService": ["s3.eu-west-1.amazonaws.com", "rds.amazonaws.com"]}}, Verdict.LACKING),
        ({"StringLike": {"kms:ViaService": "rds.*.amazonaws.com"}}, Verdict.ALLOWED),
        ({"StringEquals": {"KMS:CALLERACCOUNT": ACCOUNT}}, Verdict.ALLOWED),
        ({"StringNotEquals": {"kms:CallerAccount": ACCOUNT}}, Verdict.LACKING),
        ({"StringNotLike": {"kms:CallerAccount": "9*"}}, Verdict.ALLOWED),
        ({"StringEqualsIgnoreCase": {"kms:ViaService": "RDS.eu-west-1.amazonaws.com"}}, Verdict.ALLOWED),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/aurora-restore-*-role"}}, Verdict.ALLOWED),
        ({"ArnNotEquals": {"aws:PrincipalArn": ROLE}}, Verdict.LACKING),
        ({"Bool": {"kms:GrantIsForAWSResource": True}}, Verdict.ALLOWED),
        ({"Bool": {"kms:GrantIsForAWSResource": "false"}}, Verdict.LACKING),
        ({"Null": {"kms:ViaService": "false"}}, Verdict.ALLOWED),
        ({"Null": {"kms:ViaService": "true"}}, Verdict.LACKING),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, Verdict.UNCERTAIN),
        ({"IpAddress": {"kms:ViaService": "10.0.0.0/8"}}, Verdict.UNCERTAIN),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1", "kms:CallerAccount": "9"}}, Verdict.LACKING),
    ],
)
def test_conditions_hold_do_not_hold_or_stay_open(conditions: dict[str, Any], expected: Verdict) -> None:
    assert verdict(rule(Condition=conditions)) == expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"Bool": {"kms:GrantIsForAWSResource": "true"}}, Verdict.LACKING),
        ({"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}}, Verdict.ALLOWED),
        ({"StringNotEquals": {"kms:GrantIsForAWSResource": "true"}}, Verdict.ALLOWED),
        ({"Null": {"kms:GrantIsForAWSResource": "true"}}, Verdict.ALLOWED),
    ],
)
def test_a_description_carries_nothing_of_grants(conditions: dict[str, Any], expected: Verdict) -> None:
    assert verdict(rule(Condition=conditions), action=DESCRIBE) == expected


def test_a_condition_that_only_the_call_decides_is_named() -> None:
    waits = rule(Sid="OfTheOrganisation", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})
    assert judge({"Statement": [waits]}, ROLE, KEY, DESCRIBE).sid == "OfTheOrganisation"
    assert verdict(rule(), waits) == Verdict.ALLOWED
    assert verdict(rule(), {**waits, "Effect": "Deny"}) == Verdict.UNCERTAIN


@pytest.mark.parametrize("action", NEEDED)
def test_the_statement_that_is_proposed_lets_the_roles_in_and_nobody_else(action: str) -> None:
    policy = {"Statement": [json.loads(statement([ROLE], KEY))]}
    assert judge(policy, ROLE, KEY, action).verdict == Verdict.ALLOWED
    assert judge(policy, f"{ROLE}-2", KEY, action).verdict == Verdict.LACKING


def test_the_owners_statement_lets_the_account_in() -> None:
    policy = {"Statement": [json.loads(owners_statement(ACCOUNT, KEY.replace(ACCOUNT, "210987654321")))]}
    assert judge(policy, ROLE, KEY, CREATE_GRANT).verdict == Verdict.ALLOWED

"""A KMS key's policy -> whether it lets a role use the key through RDS. Pure.

KMS Developer Guide, "Key policies": only what the key's policy allows is allowed, either to the role itself or, by a
statement for the account, to whomever the account's IAM policies allow it. What those say is another look.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aurora_restore.arns import account_of, partition_of, region_of
from aurora_restore.planning.key_conditions import Answer, Facts, all_hold, any_holds, holds, like, listed

# AUG, "AWS KMS key management": whoever makes a resource of RDS with a customer key must be allowed both.
CREATE_GRANT, DESCRIBE = "kms:CreateGrant", "kms:DescribeKey"
NEEDED = (CREATE_GRANT, DESCRIBE)
# AUG, "Copying a DB cluster snapshot across accounts": all that a copy may need of a key.
USE = [CREATE_GRANT, "kms:Decrypt", DESCRIBE, "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]


class Verdict(StrEnum):
    """`LACKING`: no statement allows it. `UNCERTAIN`: that depends on what only the call itself shows."""

    ALLOWED = "allowed"
    UNCERTAIN = "uncertain"
    LACKING = "not allowed"
    DENIED = "denied"


@dataclass(frozen=True)
class Judgement:
    """A verdict on one action, and the Sid of the statement that denies it or leaves it open."""

    verdict: Verdict
    sid: str = ""


def judge(policy: Mapping[str, Any], role: str, key: str, action: str) -> Judgement:
    """What `policy` says about `action` on `key` by a session of `role` (ARNs) that RDS uses for its caller."""
    facts = _facts(role, key, action)
    rules = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    answers = [(rule, _applies(rule, role, key, action, facts)) for rule in rules]
    denials = [(rule, answer) for rule, answer in answers if rule["Effect"] == "Deny" and answer is not False]
    for rule, answer in denials:
        if answer:
            return Judgement(Verdict.DENIED, rule.get("Sid", ""))
    allowed = any_holds(answer for rule, answer in answers if rule["Effect"] == "Allow")
    if allowed is False:
        return Judgement(Verdict.LACKING)
    if denials:
        return Judgement(Verdict.UNCERTAIN, denials[0][0].get("Sid", ""))
    if allowed is None:
        open_ones = (rule for rule, answer in answers if rule["Effect"] == "Allow" and answer is None)
        return Judgement(Verdict.UNCERTAIN, next(open_ones).get("Sid", ""))
    return Judgement(Verdict.ALLOWED)


def statement(roles: Sequence[str], key: str) -> str:
    """The statement that lets `roles` (ARNs) use `key` through RDS, as JSON.

    By the account and the roles' names, not by the roles as principals: KMS keeps those by an id, and a role that is
    deployed anew has another one.
    """
    head = roles[0].split(":role/")[0]
    conditions = {
        "ArnEquals": {"aws:PrincipalArn": list(roles)},
        "StringEquals": {"kms:ViaService": _service(region_of(key))},
        "BoolIfExists": {"kms:GrantIsForAWSResource": "true"},
    }
    return _statement(f"{head}:root", conditions)


def owners_statement(account: str, key: str) -> str:
    """The statement that the owner of `key` adds for the pipeline's account, as JSON."""
    conditions = {"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}}
    return _statement(f"arn:{partition_of(key)}:iam::{account}:root", conditions)


def _statement(principal: str, conditions: Mapping[str, Any]) -> str:
    return json.dumps(
        {
            "Sid": "AuroraRestore",
            "Effect": "Allow",
            "Principal": {"AWS": principal},
            "Action": USE,
            "Resource": "*",
            "Condition": conditions,
        }
    )


def _service(region: str) -> str:
    return f"rds.{region}.amazonaws.com"


def _facts(role: str, key: str, action: str) -> Facts:
    """What is known of the call beforehand: RDS makes it with the caller's forward access session."""
    account = account_of(role)
    return {
        "aws:principalarn": role,
        "aws:principalaccount": account,
        "aws:principaltype": "AssumedRole",
        "aws:principalisawsservice": "false",
        "aws:viaawsservice": "true",
        "aws:securetransport": "true",
        "aws:requestedregion": region_of(key),
        "kms:calleraccount": account,
        "kms:viaservice": _service(region_of(key)),
        "kms:grantisforawsresource": "true" if action == CREATE_GRANT else None,
    }


def _applies(rule: Mapping[str, Any], role: str, key: str, action: str, facts: Facts) -> Answer:
    return all_hold(
        [
            _names_role(rule, role),
            _names("Action", rule, action),
            _names("Resource", rule, key),
            holds(rule.get("Condition", {}), facts),
        ]
    )


def _names(element: str, rule: Mapping[str, Any], actual: str) -> bool:
    """Action or NotAction, Resource or NotResource; both may hold wildcards, and actions have no case."""
    fold = str.lower if element == "Action" else str
    negated = f"Not{element}" in rule
    wanted = listed(rule[f"Not{element}"] if negated else rule.get(element, "*"))
    return any(like(fold(pattern), fold(actual)) for pattern in wanted) != negated


def _names_role(rule: Mapping[str, Any], role: str) -> Answer:
    """The account stands for all of its principals. Sessions of the role have names that are not known beforehand."""
    if "Principal" not in rule:
        return None  # NotPrincipal, which AWS advises against
    principal = rule["Principal"]
    names = listed(principal.get("AWS", []) if isinstance(principal, Mapping) else principal)
    account, name = account_of(role), role.rpartition("/")[2]
    if {"*", account, f"arn:{partition_of(role)}:iam::{account}:root", role} & set(names):
        return True
    return None if any(f":assumed-role/{name}/" in given for given in names) else False

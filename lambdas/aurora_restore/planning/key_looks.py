"""The looks at the keys of a plan: whether they can be used, and whether their policies let the functions' roles do it.

Reading only. Never refused is what might work: a refusal needs a state or a policy that leaves no doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aurora_restore.arns import account_of, partition_of, region_of
from aurora_restore.aws.kms import Key, Keys
from aurora_restore.context import Context
from aurora_restore.errors import AccessDenied, KmsKeyUnavailable, ResourceMissing
from aurora_restore.planning.findings import PASSED, SKIPPED, WARNING
from aurora_restore.planning.key_policy import NEEDED, Judgement, Verdict, judge, owners_statement, statement
from aurora_restore.planning.key_uses import Use, uses

AWS_MANAGED = "alias/aws/"
OF_SECRETS_MANAGER = "the master's secret is under Secrets Manager's own key, which needs no rights"


@dataclass
class _Told:
    """What was found out about the keys one by one."""

    passed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)

    def finding(self) -> tuple[str, str]:
        """The worst result, and all details with the worst first."""
        result = WARNING if self.doubtful else SKIPPED if self.skipped else PASSED
        return result, "; ".join([*self.doubtful, *self.skipped, *self.passed]) or "nothing is encrypted"


def states(context: Context, plan: Mapping[str, Any]) -> tuple[str, str]:
    """The keys of the source, of every copy and of the new cluster can be used."""
    told = _Told()
    for use in uses(plan):
        try:
            key = context.keys_in(region_of(use.key)).key(use.key)
        except AccessDenied as error:
            told.skipped.append(f"{use.key}: {error.message}")
        except ResourceMissing:
            if AWS_MANAGED in use.key:
                told.passed.append(f"{use.key} is made by AWS when it is first used")
            else:
                told.bad.append(f"{use.key} does not exist in {region_of(use.key)}")
        else:
            (told.passed if key.usable else told.bad).append(f"{use.key} is {key.state}, {key.spec}, {key.usage}")
    if told.bad:
        raise KmsKeyUnavailable(f"RDS cannot use: {'; '.join(told.bad)}.")
    return told.finding()


def policies(context: Context, plan: Mapping[str, Any]) -> tuple[str, str]:
    """The keys' policies, or grants, let the functions' roles use them through RDS."""
    told, remedies = _Told(), []
    for use in uses(plan):
        if account_of(use.key) != context.settings.account_id:
            told.skipped.append(_of_another_account(context, use))
            continue
        keys = context.keys_in(region_of(use.key))
        roles = _roles(context, plan, use.steps)
        try:
            key = keys.key(use.key)
            if key.managed_by_aws:
                told.passed.append(f"{use.key} is AWS's own, for everybody in the account who may use RDS")
                continue
            policy = keys.policy(key.arn)
        except ResourceMissing:
            continue  # the look at the states tells it
        except AccessDenied as error:
            told.skipped.append(f"{error.message} If RDS is refused, too: {_addition(roles, use.key)}")
            continue
        problem = _judge(keys, key, policy, _roles(context, plan, use.encrypt))
        doubt = problem or _judge(keys, key, policy, _roles(context, plan, use.read))
        if problem and problem.certain:
            told.bad.append(problem.text)
            remedies.append(_remedy(problem, roles, key))
        elif doubt:
            told.doubtful.append(f"{doubt.text} If RDS is refused: {_remedy(doubt, roles, key)}")
        else:
            told.passed.append(f"{use.key} is open to {', '.join(use.steps)}")
    if told.bad:
        raise KmsKeyUnavailable(" ".join(told.bad), remedy=" ".join(remedies))
    if plan["credentials"]["master"] == "managed":
        told.passed.append(OF_SECRETS_MANAGER)
    return told.finding()


@dataclass(frozen=True)
class _Objection:
    """What a policy has against a role; `certain` when no call could get past it."""

    text: str
    judgement: Judgement
    certain: bool


def _judge(keys: Keys, key: Key, policy: Mapping[str, Any], roles: Iterable[str]) -> _Objection | None:
    """The first objection to one of the roles, a certain one before others; None when all may."""
    found = [_objection(keys, key, policy, role, action) for role in roles for action in NEEDED]
    return min(filter(None, found), key=lambda objection: not objection.certain, default=None)


def _objection(keys: Keys, key: Key, policy: Mapping[str, Any], role: str, action: str) -> _Objection | None:
    judgement = judge(policy, role, key.arn, action)
    if judgement.verdict == Verdict.ALLOWED:
        return None
    certain = judgement.verdict in (Verdict.DENIED, Verdict.LACKING)
    if judgement.verdict != Verdict.DENIED:  # a grant allows besides the policy, but nothing goes over a Deny
        try:
            if action.removeprefix("kms:") in keys.granted(key.arn, role):
                return None
        except AccessDenied:
            certain = False
    by = f" by its statement {judgement.sid}" if judgement.sid else ""
    return _Objection(f"{action} on {key.arn} is {judgement.verdict}{by} to {role}.", judgement, certain)


def _remedy(objection: _Objection, roles: list[str], key: Key) -> str:
    if objection.judgement.verdict == Verdict.DENIED:
        return f"Except {', '.join(roles)} from what statement {objection.judgement.sid or 'with Deny'} denies."
    return _addition(roles, key.arn)


def _addition(roles: list[str], key: str) -> str:
    return f"Add to the policy of {key}: {statement(roles, key)}"


def _roles(context: Context, plan: Mapping[str, Any], steps: Iterable[str]) -> list[str]:
    """The ARNs of the functions' roles, whose names follow from the prefix."""
    settings, partition = context.settings, partition_of(plan["target"]["arn"])
    return [f"arn:{partition}:iam::{settings.account_id}:role/{settings.name_prefix}-{step}-role" for step in steps]


def _of_another_account(context: Context, use: Use) -> str:
    owner = account_of(use.key)
    wanted = owners_statement(context.settings.account_id, use.key)
    return f"the policy of {use.key} is told in account {owner} only, whose owner must allow: {wanted}"

"""A made-up AWS (moto, in this process) behind the ordinary connection, and a run as an action plugin starts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws

from aurora_deploy.action import Plan, Run
from aurora_deploy.clients import Aws
from aurora_deploy.engine import Outcome, converge
from aurora_deploy.lookup import Lookup

Converge = Callable[..., Outcome]
Answer = Callable[..., dict[str, Any]]


@pytest.fixture
def aws() -> Iterator[Aws]:
    """A connection to an empty account."""
    with mock_aws():
        yield Aws("us-east-1")


@pytest.fixture
def key_arn(aws: Aws) -> str:
    """The ARN of an existing customer key with the alias alias/aurora-restore."""
    key: dict[str, Any] = aws.client("kms").create_key()["KeyMetadata"]
    aws.client("kms").create_alias(AliasName="alias/aurora-restore", TargetKeyId=key["KeyId"])
    return str(key["Arn"])


@pytest.fixture
def run_plan(aws: Aws) -> Converge:
    """`run_plan(plan, args, check=False)` does what the action plugin of that plan does."""

    def run(plan: Plan, args: dict[str, Any], *, check: bool = False) -> Outcome:
        return _converged(aws, plan, args, check)[0]

    return run


@pytest.fixture
def answers(aws: Aws) -> Answer:
    """`answers(plan, args, check=False)` does the same and returns what later tasks get to know."""

    def run(plan: Plan, args: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
        return _converged(aws, plan, args, check)[1]

    return run


def _converged(aws: Aws, plan: Plan, args: dict[str, Any], check: bool) -> tuple[Outcome, dict[str, Any]]:
    run = Run(args, aws, Lookup(aws, lenient=check or args.get("state") == "absent"), check)
    outcome = Outcome()
    for family, desired in plan(run):
        outcome.extend(converge(family, desired, check=check))
    return outcome, run.answers

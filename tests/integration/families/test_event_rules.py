"""The rules that call the sweep: drift is found, announced and mended, and what is removed can come back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aurora_deploy.clients import Aws
from aurora_deploy.families import event_rules

from .conftest import ACCOUNT, TAGS, RunPlan

FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:ar-sweep"
PATTERN = {"source": ["aws.states"], "detail": {"status": ["FAILED", "ABORTED"]}}
ENDED = {"name": "ar-ended", "description": "ended", "pattern": PATTERN, "schedule": "", "enabled": True}
SWEEP = {"name": "ar-sweep", "description": "look", "pattern": {}, "schedule": "rate(15 minutes)", "enabled": True}
ARGS: dict[str, Any] = {
    "function": FUNCTION, "alias": "live", "rules": [ENDED, SWEEP], "retries": 185, "max_age": 86400, "tags": TAGS,
    "state": "present",
}  # fmt: skip

Meddle = Callable[[Any, Any], Any]


def put(name: str, **settings: Any) -> Meddle:
    return lambda events, _functions: events.put_rule(Name=name, **settings)


def target(**settings: Any) -> Meddle:
    given = {"Id": "function", "Arn": f"{FUNCTION}:live", **settings}
    return lambda events, _functions: events.put_targets(Rule="ar-ended", Targets=[given])


def second_target(events: Any, _functions: Any) -> None:
    events.put_targets(Rule="ar-ended", Targets=[{"Id": "other", "Arn": FUNCTION}])


def no_permission(_events: Any, functions: Any) -> None:
    functions.remove_permission(FunctionName=FUNCTION, Qualifier="live", StatementId="ar-sweep")


def tag(events: Any, _functions: Any) -> None:
    events.tag_resource(
        ResourceARN=f"arn:aws:events:us-east-1:{ACCOUNT}:rule/ar-sweep", Tags=[{"Key": "Stranger", "Value": "1"}]
    )


DRIFT: list[tuple[str, Meddle]] = [
    ("description", put("ar-sweep", Description="other", ScheduleExpression="rate(15 minutes)")),
    ("schedule", put("ar-sweep", Description="look", ScheduleExpression="rate(1 hour)")),
    ("enabled", put("ar-sweep", Description="look", ScheduleExpression="rate(15 minutes)", State="DISABLED")),
    ("pattern", put("ar-ended", Description="ended", EventPattern=json.dumps({"source": ["aws.rds"]}))),
    ("target", target(RetryPolicy={"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60})),
    ("target", target(Arn=FUNCTION)),
    ("target", target(Input="{}", RetryPolicy={"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400})),
    ("target", second_target),
    ("permission", no_permission),
    ("tags", tag),
]


@pytest.fixture(scope="module", autouse=True)
def function(aws: Aws, package: Path) -> None:
    """The function that the rules call, with its alias."""
    client = aws.client("lambda")
    client.create_function(
        FunctionName="ar-sweep",
        Runtime="python3.13",
        Role=f"arn:aws:iam::{ACCOUNT}:role/ar",
        Handler="a.b",
        Code={"ZipFile": package.read_bytes()},
    )
    version = client.publish_version(FunctionName="ar-sweep")["Version"]
    client.create_alias(FunctionName="ar-sweep", Name="live", FunctionVersion=version)


@pytest.mark.parametrize(("attribute", "meddle"), DRIFT)
def test_drift_is_announced_mended_and_then_gone(aws: Aws, run_plan: RunPlan, attribute: str, meddle: Meddle) -> None:
    run_plan(event_rules.plan, ARGS)
    meddle(aws.client("events"), aws.client("lambda"))
    announced = run_plan(event_rules.plan, ARGS, check=True)
    mended = run_plan(event_rules.plan, ARGS)
    assert announced.items == mended.items
    assert {name for item in mended.items for name in item["changes"]} == {attribute}
    assert not run_plan(event_rules.plan, ARGS).changed


def test_what_is_removed_can_be_made_again_as_announced(run_plan: RunPlan) -> None:
    run_plan(event_rules.plan, ARGS)
    absent = {**ARGS, "state": "absent"}
    assert run_plan(event_rules.plan, absent, check=True).items == run_plan(event_rules.plan, absent).items
    assert not run_plan(event_rules.plan, absent).changed
    announced, made = run_plan(event_rules.plan, ARGS, check=True), run_plan(event_rules.plan, ARGS)
    assert announced.items == made.items
    assert {item["action"] for item in made.items} == {"create"}
    assert not run_plan(event_rules.plan, ARGS).changed

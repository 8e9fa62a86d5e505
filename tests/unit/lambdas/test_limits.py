"""The real definition over the real steps, on a clock that is moved: restores of ten minutes to three days.

Step Functions ends a Standard execution after 25,000 history events, and refuses states whose data exceed 256 KiB
(Step Functions Developer Guide, "Service quotas").
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from aurora_restore.context import Context
from aurora_restore.steps import copy_snapshot, create_instances, restore_snapshot
from tests.unit.lambdas.machine import Execution, definition
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline

MOST_EVENTS, MOST_BYTES = 25_000, 262_144
MOST_OF_AN_ITEM = 400 * 1024  # DynamoDB, "Service quotas"
MOST_TAGS = 47  # of a team: RDS's 50 without the opt-in and the two that a swap adds
MINUTE, HOUR = 60, 3600
DURATIONS = [10 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR, 72 * HOUR]
SLOW = {"copy-snapshot": copy_snapshot, "restore-snapshot": restore_snapshot, "create-instances": create_instances}
LARGE = {
    **REQUEST,
    "source": {"type": "latest_snapshot", "cluster": "orders-prod", "region": "eu-west-1"},
    "verify": {
        "database": "shop",
        "tables": [
            {"name": f"shop.a_table_with_quite_a_long_name_{number:03}", "min_rows": 1} for number in range(100)
        ],
    },
    "users": [
        {"secret": f"aurora-restore/user-{number}", "access": "read_only", "database": "shop", "schemas": ["shop"]}
        for number in range(10)
    ],
    "approval": {"required": True, "expires_hours": 24},
    "requested_by": "arn:aws:sts::123456789012:assumed-role/somebody-with-a-long-role-name/and-a-long-session-name",
}
APPROVED = {
    "decision": "approve",
    "decided_by": "arn:aws:iam::123456789012:user/bob",
    "decided_at": "",
    "reason": "r" * 500,
}


class Slow(Pipeline):
    """A target of `instances` with `tags`, and a copy, a restore and instances that take a third of `seconds` each."""

    def __init__(self, seconds: int, instances: int = 2, tags: int = 1) -> None:
        super().__init__(environment={"STATE_MACHINE_TIMEOUT_SECONDS": str(2 * seconds + 100_000)})
        self.offers.quotas["DBInstances"] = [0, 1000]
        extra = {f"a-tag-of-the-team-{number:02}": f"{'v' * 60}{number}" for number in range(tags)}
        self.rds.add_cluster(
            "orders-staging", tags={"aurora-restore:target": "true", **extra}, classes=("db.r6g.large",) * instances
        )
        for instance in self.rds.instances.values():
            instance["TagList"] = [{"Key": key, "Value": value} for key, value in extra.items()]
        self.regions["eu-west-1"].add_cluster("orders-prod")
        self.regions["eu-west-1"].add_snapshot("prod-nightly", "orders-prod")
        for name, step in SLOW.items():
            self.overrides[name] = self._takes(step, seconds // 3)
        self.overrides["verify-restore"] = lambda _context, document: {
            "checks": [
                {"name": f"table {table['name']}", "passed": True, "seconds": 12.345, "detail": "at least 100000 rows"}
                for table in document["plan"]["verify"]["tables"]
            ]
        }
        self.approvers.decide = lambda _token: self.clock.advance(23 * HOUR) or APPROVED  # type: ignore[func-returns-value]

    def _takes(self, step: Any, seconds: int) -> Any:
        def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
            self.rds.delay = seconds
            try:
                result: dict[str, Any] = step.run(context, document)
            finally:
                self.rds.delay = MINUTE
            return result

        return run


def restored(pipeline: Pipeline, request: Mapping[str, Any] = LARGE) -> Execution:
    ended = pipeline.run(request)
    assert (ended.status, ended.error) == ("SUCCEEDED", "")
    return ended


@pytest.mark.parametrize("seconds", DURATIONS)
def test_the_history_of_a_restore_fits(seconds: int) -> None:
    pipeline = Slow(seconds)
    start = pipeline.context.now()
    ended = restored(pipeline)
    assert pipeline.context.now() - start >= seconds
    assert (ended.events[0], ended.events[-1]) == ("ExecutionStarted", "ExecutionSucceeded")
    assert len(ended.events) < MOST_EVENTS / 2


def test_three_days_in_which_every_call_is_retried_fit() -> None:
    pipeline = Slow(72 * HOUR)
    retries = max(rule["MaxAttempts"] for state in definition()["States"].values() for rule in state.get("Retry", []))
    events = Counter(restored(pipeline).events)
    attempts = 3 * 2 * retries * events["LambdaFunctionScheduled"]  # three events an attempt, both retriers used up
    assert sum(events.values()) + attempts < MOST_EVENTS


@pytest.mark.parametrize(("seconds", "instances"), [(10 * MINUTE, 16), (72 * HOUR, 40)])
def test_the_document_of_a_large_restore_fits(seconds: int, instances: int) -> None:
    ended = restored(Slow(seconds, instances, tags=MOST_TAGS))
    assert len(ended.output["plan"]["instances"]) == instances
    assert len(ended.output["verification"]["checks"]) == 100
    assert ended.largest < MOST_BYTES / 2
    assert len(ended.events) < MOST_EVENTS / 2


def test_a_plan_that_leaves_no_room_is_refused_before_anything_is_done() -> None:
    pipeline = Slow(HOUR)
    queries = [{"name": str(number), "sql": "SELECT " + "1" * 9_000, "expect": 1} for number in range(20)]
    ended = pipeline.run({**LARGE, "verify": {"database": "shop", "queries": queries}})
    assert (ended.status, ended.error) == ("FAILED", "PlanTooLarge")
    assert "Lock" not in "".join(ended.visited)


def test_a_long_restore_that_fails_at_its_end_is_undone_within_the_limits() -> None:
    pipeline = Slow(72 * HOUR, instances=40, tags=MOST_TAGS)

    def fails(_context: Context, _document: Mapping[str, Any]) -> dict[str, Any]:
        raise RuntimeError

    pipeline.overrides["verify-restore"] = fails
    ended = pipeline.run(LARGE)
    assert (ended.status, ended.error) == ("FAILED", "UnexpectedError")
    assert set(pipeline.rds.names()) == {"orders-staging"}
    assert len(ended.events) < MOST_EVENTS / 2
    assert ended.largest < MOST_BYTES / 2


def test_a_large_target_that_is_removed_and_brought_back_fits() -> None:
    pipeline = Slow(72 * HOUR, instances=40, tags=MOST_TAGS)

    def fails(_context: Context, _document: Mapping[str, Any]) -> dict[str, Any]:
        raise RuntimeError

    pipeline.overrides["verify-restore"] = fails
    before = set(pipeline.rds.instances)
    ended = pipeline.run({**LARGE, "strategy": "replace"})
    assert (ended.status, ended.error) == ("FAILED", "UnexpectedError")
    assert set(pipeline.rds.names()) == {"orders-staging"}
    assert len(set(pipeline.rds.instances) - before) == 40
    assert len(ended.events) < MOST_EVENTS / 2
    assert ended.largest < MOST_BYTES / 2
    assert len(json.dumps(pipeline.store.operations[OPERATION].state)) < MOST_OF_AN_ITEM / 2

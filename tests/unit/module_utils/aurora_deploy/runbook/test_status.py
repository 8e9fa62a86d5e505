"""What status.yml prints of executions and items."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from aurora_deploy.runbook.status import overview, report

START = datetime.datetime(2026, 11, 23, 8, 0, tzinfo=datetime.UTC)


def execution(**request: Any) -> dict[str, Any]:
    """DescribeExecution's answer for an operation that took a minute."""
    return {
        "name": "op-one",
        "status": "SUCCEEDED",
        "input": json.dumps({"target": {"cluster": "orders-staging"}, **request}),
        "startDate": START,
        "stopDate": START + datetime.timedelta(minutes=1),
    }


@pytest.mark.parametrize(("dry_run", "end"), [(True, "1 min 00 s, dry run"), (False, "1 min 00 s")])
def test_a_plan_is_not_taken_for_a_restore(dry_run: bool, end: str) -> None:
    assert overview(execution(dry_run=dry_run)).endswith(end)


def test_a_lock_says_who_holds_it_and_until_when() -> None:
    lock = {"state": {"owner": "op-two", "token": 4, "lease_until": START.timestamp()}}
    status = {"execution": execution(), "item": None, "lock": lock, "target": "orders-staging", "events": []}
    assert "  lock       orders-staging: held by op-two until 2026-11-23 08:00:00 UTC" in report(status)

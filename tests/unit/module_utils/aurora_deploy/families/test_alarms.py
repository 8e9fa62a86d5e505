from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from aurora_deploy.clients import Aws
from aurora_deploy.families import alarms

from .conftest import Converge

WRITES_A_SECOND = 3
"""PutMetricAlarm and DeleteAlarms (AWS General Reference, "Amazon CloudWatch endpoints and quotas")."""
ARGS: dict[str, Any] = {
    "name_prefix": "ar",
    "state_machine_arn": "arn:aws:states:us-east-1:123456789012:stateMachine:ar-state-machine",
    "functions": [{"step": f"step-{number}", "timeout": 300} for number in range(3)],
    "actions": ["arn:aws:sns:us-east-1:123456789012:ar-notifications"],
    "duration_percent": 80,
    "period": 300,
    "evaluation_periods": 1,
    "tags": {"Project": "ar"},
    "state": "present",
}


@pytest.mark.parametrize(("operation", "state"), [("put_metric_alarm", "present"), ("delete_alarms", "absent")])
def test_no_more_writes_are_under_way_than_cloudwatch_takes_in_a_second(
    aws: Aws, run_plan: Converge, monkeypatch: pytest.MonkeyPatch, operation: str, state: str
) -> None:
    if state == "absent":
        run_plan(alarms.plan, ARGS)
    client, lock = aws.client("cloudwatch"), threading.Lock()
    write, under_way, seen = getattr(client, operation), 0, []

    def counted(**parameters: Any) -> Any:
        nonlocal under_way
        with lock:
            under_way += 1
            seen.append(under_way)
        time.sleep(0.02)  # so that all threads are in here at once
        with lock:
            under_way -= 1
            return write(**parameters)

    monkeypatch.setattr(client, operation, counted)
    outcome = run_plan(alarms.plan, {**ARGS, "state": state})
    assert outcome.errors == []
    assert (len(seen), max(seen)) == (4 + 3 * len(ARGS["functions"]), WRITES_A_SECOND)

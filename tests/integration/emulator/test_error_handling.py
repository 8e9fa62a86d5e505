"""Retry and Catch match the function's error types, and wait as told."""

from __future__ import annotations

import itertools
import json
import time

from .conftest import Aws, task

DONE = {"Type": "Pass", "End": True}


def test_retry_matches_the_class_of_the_exception(aws: Aws) -> None:
    retry = [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 1, "MaxAttempts": 3}]
    ended = aws.run(aws.machine({"Flaky": task(aws.function(), Retry=retry)}), {"not_before": 2})
    assert json.loads(ended["output"])["calls"] == 3


def test_a_retrier_gives_up_after_its_attempts(aws: Aws) -> None:
    retry = [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    ended = aws.run(aws.machine({"Flaky": task(aws.function(), Retry=retry)}), {"not_before": 2})
    assert (ended["status"], ended["error"]) == ("FAILED", "NotYet")


def test_catch_gets_error_and_cause_with_the_functions_message(aws: Aws, function: str) -> None:
    catch = [{"ErrorEquals": ["CopyFailed"], "Next": "Done", "ResultPath": "$.error"}]
    ended = aws.run(aws.machine({"Copy": task(function, Catch=catch), "Done": DONE}), {"fail": True})
    error = json.loads(ended["output"])["error"]
    assert error["Error"] == "CopyFailed"
    assert json.loads(error["Cause"])["errorMessage"] == "the copy failed"


def test_max_delay_seconds_bounds_the_wait(aws: Aws) -> None:
    retry = [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 50, "MaxDelaySeconds": 60, "BackoffRate": 100}]
    started = time.monotonic()
    ended = aws.run(aws.machine({"Flaky": task(aws.function(), Retry=retry)}), {"not_before": 2})
    assert ended["status"] == "SUCCEEDED"
    assert 1.1 <= time.monotonic() - started < 4, "50 s and 60 s at a scale of 0.01"


def test_full_jitter_waits_less_than_the_whole_delays(aws: Aws) -> None:
    retry = {"ErrorEquals": ["NotYet"], "IntervalSeconds": 30, "BackoffRate": 1, "MaxAttempts": 6}
    machine = aws.machine({"Flaky": task(aws.function(), Retry=[{**retry, "JitterStrategy": "FULL"}])})
    ended = aws.run(machine, {"not_before": 6})
    events = aws.client("stepfunctions").get_execution_history(executionArn=ended["executionArn"])["events"]
    waits = [
        (following["timestamp"] - event["timestamp"]).total_seconds()
        for event, following in itertools.pairwise(events)
        if event["type"] == "TaskFailed"
    ]
    assert len(waits) == 6
    assert sum(waits) < 0.9 * 6 * 0.3, "six uniform waits of up to 0.3 s; longer together once in 16,000 runs"

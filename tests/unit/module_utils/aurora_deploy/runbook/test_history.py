"""Lines from histories that an engine really wrote (histories/), and from the event forms that AWS adds to them."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from aurora_deploy.runbook.history import Line, Narrator, message_of

START = datetime.datetime(2026, 11, 23, 7, 0, tzinfo=datetime.UTC)


def recorded(name: str) -> list[dict[str, Any]]:
    history = json.loads((Path(__file__).parent / "histories" / f"{name}.json").read_text(encoding="utf-8"))
    return [{**event, "timestamp": datetime.datetime.fromisoformat(event["timestamp"])} for event in history["events"]]


def told(events: list[dict[str, Any]]) -> list[Line]:
    narrator = Narrator()
    return [line for event in events for line in narrator.feed(event)]


def event(number: int, kind: str, seconds: float = 0, **details: Any) -> dict[str, Any]:
    return {"id": number, "type": kind, "timestamp": START + datetime.timedelta(seconds=seconds), **details}


def task(number: int, name: str, seconds: float, before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """A Task state that is entered at 0 s and left `seconds` later."""
    return [
        event(number, "TaskStateEntered", 0, stateEnteredEventDetails={"name": name, "input": json.dumps(before)}),
        event(
            number + 1, "TaskStateExited", seconds, stateExitedEventDetails={"name": name, "output": json.dumps(after)}
        ),
    ]


def test_a_recorded_success_is_told_with_status_percent_and_end() -> None:
    lines = told(recorded("succeeded"))
    assert [(line.state, line.text.split(", until")[0]) for line in lines if line.state != "SnapshotCheck"] == [
        ("RestoreSnapshot", "creating, 40 %, next look in 1 s"),
        ("CheckRestoreStatus", "creating, 80 %, next look in 1 s"),
        ("CheckRestoreStatus", "available, 100 %"),
        ("execution", "SUCCEEDED"),
    ]
    planned = [line.text.split(", until")[0] for line in lines if line.state == "SnapshotCheck"]
    assert planned[1] == "expected to take 10 min 00 s"
    assert not any(line.bad for line in lines)


def test_a_recorded_failure_is_told_with_each_attempt_and_the_clean_up() -> None:
    lines = told(recorded("failed"))
    errors = [line.text for line in lines if line.state == "SnapshotCheck"]
    assert errors[0].endswith("there is no snapshot nosuch in us-east-1")
    assert errors[1] == "tries again (attempt 2)"
    assert errors[2] == errors[0]
    assert errors[3] == "gives up; the pipeline cleans up after it"
    assert (lines[-1].state, lines[-1].text, lines[-1].bad) == ("execution", "FAILED", True)


def test_elapsed_time_counts_from_the_start_of_the_execution() -> None:
    lines = told([event(1, "ExecutionStarted"), *task(2, "RestoreSnapshot", 3725.9, {}, {"restore": {"done": True}})])
    assert str(lines[0]).startswith("1:02:05  RestoreSnapshot      done in 1 h 02 min")


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("LambdaFunctionFailed", "lambdaFunctionFailedEventDetails"),
        ("LambdaFunctionTimedOut", "lambdaFunctionTimedOutEventDetails"),
        ("TaskFailed", "taskFailedEventDetails"),
        ("TaskTimedOut", "taskTimedOutEventDetails"),
    ],
)
def test_every_kind_of_failed_attempt_shows_its_error(kind: str, key: str) -> None:
    cause = json.dumps({"errorMessage": "Rate\nexceeded", "errorType": "Throttled", "stackTrace": []})
    (line,) = told([event(1, "ExecutionStarted"), event(2, kind, 4, **{key: {"error": "Throttled", "cause": cause}})])
    assert (line.text, line.bad, line.elapsed) == ("Throttled: Rate exceeded", True, 4.0)


def test_a_retry_that_succeeds_is_not_told_as_given_up() -> None:
    entered, left = task(2, "CopySnapshot", 9, {}, {"copy": {"status": "copying", "percent": 12.5}})
    lines = told(
        [
            event(1, "ExecutionStarted"),
            entered,
            event(3, "LambdaFunctionScheduled"),
            event(
                4, "LambdaFunctionFailed", lambdaFunctionFailedEventDetails={"error": "Lambda.TooManyRequestsException"}
            ),
            event(5, "LambdaFunctionScheduled", 2),
            {**left, "id": 6},
        ]
    )
    assert [line.text for line in lines] == [
        "Lambda.TooManyRequestsException",
        "tries again (attempt 2)",
        "copying, 12.5 %",
    ]


def test_data_that_the_api_cut_off_does_not_stop_the_story() -> None:
    left = event(2, "TaskStateExited", 1, stateExitedEventDetails={"name": "SnapshotCheck", "output": '{"plan": {"tr'})
    assert [line.text for line in told([event(1, "ExecutionStarted"), left])] == ["done in 0 s"]


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ('{"errorMessage": "no such snapshot", "errorType": "SnapshotNotFound"}', "no such snapshot"),
        ("plain\n text", "plain text"),
        ('["a list"]', '["a list"]'),
        ("", ""),
    ],
)
def test_message_of_reads_lambdas_causes_and_plain_ones(cause: str, message: str) -> None:
    assert message_of(cause) == message


def test_looks_that_find_nothing_new_are_told_once() -> None:
    copying = {"copy": {"status": "copying", "percent": 40, "done": False, "wait_seconds": 30}}
    further = {"copy": {"status": "copying", "percent": 60, "done": False, "wait_seconds": 30}}
    events = [event(1, "ExecutionStarted")]
    for after in (copying, copying, copying, further):
        events += task(len(events) + 1, "CheckCopyStatus", 1, copying, after)
    assert [line.text for line in told(events)] == [
        "copying, 40 %, next look in 30 s",
        "copying, 60 %, next look in 30 s",
    ]

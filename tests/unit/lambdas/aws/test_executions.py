"""What was in flight when an execution ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from aurora_restore.aws.executions import InFlight, last_in_flight

START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def event(kind: str, seconds: int = 0, **more: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": START + timedelta(seconds=seconds), **more}


def entered(state: str) -> dict[str, Any]:
    return event("TaskStateEntered", stateEnteredEventDetails={"name": state})


ABORTED, SCHEDULED = event("ExecutionAborted", 9), event("LambdaFunctionScheduled")


def test_a_function_that_was_called_and_has_not_answered_is_in_flight() -> None:
    assert last_in_flight([ABORTED, SCHEDULED, entered("RestoreSnapshot")]) == InFlight("RestoreSnapshot", START)


def test_a_state_that_was_aborted_may_still_have_its_function_running() -> None:
    history = [ABORTED, event("TaskStateAborted", 9), SCHEDULED, entered("CopySnapshot")]
    assert last_in_flight(history) == InFlight("CopySnapshot", START)


def test_a_retry_counts_from_its_own_first_event() -> None:
    history = [
        ABORTED,
        event("LambdaFunctionStarted", 6),
        event("LambdaFunctionScheduled", 5),
        event("LambdaFunctionFailed", 1),
        SCHEDULED,
        entered("CopySnapshot"),
    ]
    assert last_in_flight(history) == InFlight("CopySnapshot", START + timedelta(seconds=5))


def test_a_function_that_answered_is_not_in_flight() -> None:
    assert last_in_flight([ABORTED, event("LambdaFunctionSucceeded"), SCHEDULED, entered("CopySnapshot")]) is None


def test_a_wait_has_nothing_in_flight() -> None:
    waiting = event("WaitStateEntered", stateEnteredEventDetails={"name": "WaitForRestore"})
    assert last_in_flight([ABORTED, waiting]) is None
    assert last_in_flight([]) is None

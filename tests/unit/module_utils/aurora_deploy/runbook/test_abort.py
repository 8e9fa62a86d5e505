from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from aurora_deploy.errors import DeployError
from aurora_deploy.runbook.abort import Abort, last_position
from aurora_deploy.runbook.execution import StateMachine

from .fakes import MACHINE, START, FakeAws

DOCUMENT = {"request": {"target": {"cluster": "orders-staging"}}, "execution": {"id": "arn", "name": "op-1"}}


def entered(state: str) -> dict[str, Any]:
    details = {"name": state, "input": json.dumps(DOCUMENT)}
    return {"type": "TaskStateEntered", "timestamp": START, "stateEnteredEventDetails": details}


SCHEDULED = {"type": "LambdaFunctionScheduled", "timestamp": START}
ANSWERED = {"type": "LambdaFunctionSucceeded", "timestamp": START}
ABORTED = {"type": "ExecutionAborted", "timestamp": START}
WAITING = [
    {
        "type": "TaskStateExited",
        "timestamp": START,
        "stateExitedEventDetails": {"name": "a", "output": json.dumps(DOCUMENT)},
    },
    {
        "type": "WaitStateEntered",
        "timestamp": START,
        "stateEnteredEventDetails": {"name": "WaitForRestore", "input": json.dumps(DOCUMENT)},
    },
]


class Clock:
    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> datetime.datetime:
        return START + datetime.timedelta(seconds=self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


def abort(aws: FakeAws, clock: Clock) -> Abort:
    return Abort(
        aws=aws,  # type: ignore[arg-type]  # the fake has what is used
        machine=StateMachine(MACHINE),
        operation="op-1",
        cleanup_function="aurora-restore-handle-failure",
        audit_table="audit",
        tell=lambda _: None,
        now=clock.now,
        sleep=clock.sleep,
    )


def running(*events: dict[str, Any]) -> FakeAws:
    aws = FakeAws()
    aws.executions["op-1"] = {"status": "RUNNING"}
    aws.history = [*events, ABORTED]
    aws.cleanup = [{"done": True, "removed": ["orders-staging-op-1"]}]
    return aws


def test_a_running_operation_is_stopped_and_then_undone_with_its_document() -> None:
    aws = running(*WAITING)
    ended = abort(aws, Clock()).run("wrong snapshot")
    assert aws.stopped == ["op-1"]
    assert (ended["status"], ended["document"]["failure"]["removed"]) == ("ABORTED", ["orders-staging-op-1"])
    (call,) = aws.invoked
    assert (call["function"], call["alias"]) == ("aurora-restore-handle-failure", "live")
    assert call["document"] == {**DOCUMENT, "error": {"Error": "OperationAborted", "Cause": "wrong snapshot"}}


def test_the_clean_up_is_advanced_until_it_is_done() -> None:
    aws, clock = running(*WAITING), Clock()
    aws.cleanup = [{"done": False, "wait_seconds": 30}, {"done": False, "wait_seconds": 30}, {"done": True}]
    abort(aws, clock).run("x")
    assert len(aws.invoked) == 3
    assert aws.invoked[1]["document"]["failure"] == {"done": False, "wait_seconds": 30}
    assert clock.slept == 60


def test_a_function_that_still_runs_is_waited_for_until_its_time_out() -> None:
    aws, clock = running(entered("SetupDbUsers"), SCHEDULED), Clock()
    aws.timeouts["aurora-restore-setup-db-users"] = 600  # lambda_overrides may give it more than the others
    abort(aws, clock).run("x")
    assert clock.slept == 600


def test_the_wait_ends_when_the_audit_trail_says_that_the_function_has_ended() -> None:
    aws, clock = running(entered("RestoreSnapshot"), SCHEDULED), Clock()
    aws.timeouts["aurora-restore-restore-snapshot"] = 300
    aws.audit = [{"step": "RestoreSnapshot", "status": "SUCCEEDED", "timestamp": "2026-11-23T07:00:02Z"}]
    abort(aws, clock).run("x")
    assert clock.slept == 0


def test_a_failed_clean_up_is_an_error_that_says_why() -> None:
    aws = running(*WAITING)
    aws.cleanup = [{"errorMessage": "[AR503] instance is still deleting", "errorType": "CleanupFailed"}]
    with pytest.raises(DeployError, match="AR503"):
        abort(aws, Clock()).run("x")


def test_an_operation_that_was_cleaned_up_by_the_pipeline_is_left_alone() -> None:
    aws = running()
    aws.executions["op-1"] = {"status": "FAILED", "cause": "x"}
    output = json.dumps({**DOCUMENT, "failure": {"done": True}})
    exited = {"name": "HandleFailure", "output": output}
    aws.history = [{"type": "TaskStateExited", "timestamp": START, "stateExitedEventDetails": exited}]
    abort(aws, Clock()).run("x")
    assert (aws.stopped, aws.invoked) == ([], [])


def test_an_operation_stopped_before_its_first_state_gets_the_document_it_would_have_had() -> None:
    aws = running()
    aws.executions["op-1"]["input"] = json.dumps({"target": {"cluster": "orders-staging"}})
    abort(aws, Clock()).run("x")
    document = aws.invoked[0]["document"]
    assert document["request"] == {"target": {"cluster": "orders-staging"}}
    assert document["execution"]["name"] == "op-1"


@pytest.mark.parametrize(("name", "message"), [("op-2", "status.yml"), ("op-1", "has succeeded")])
def test_what_cannot_be_aborted_is_refused(name: str, message: str) -> None:
    aws = FakeAws()
    aws.executions = {name: {"status": "SUCCEEDED"}}
    with pytest.raises(DeployError, match=message):
        abort(aws, Clock()).found()


def test_a_retry_that_was_scheduled_again_counts_as_in_flight_from_its_first_event() -> None:
    failed = {"type": "LambdaFunctionFailed", "timestamp": START}
    started = {"type": "LambdaFunctionStarted", "timestamp": START + datetime.timedelta(seconds=1)}
    position = last_position([ABORTED, started, SCHEDULED, failed, SCHEDULED, entered("CopySnapshot")])
    assert (position.in_flight, position.since) == ("CopySnapshot", START)


def test_a_state_that_was_aborted_may_still_have_its_function_running() -> None:
    left = {"type": "TaskStateAborted", "timestamp": START}
    assert last_position([ABORTED, left, SCHEDULED, entered("CopySnapshot")]).in_flight == "CopySnapshot"


def test_a_function_that_answered_is_not_in_flight() -> None:
    assert last_position([ABORTED, ANSWERED, SCHEDULED, entered("CopySnapshot")]).in_flight == ""

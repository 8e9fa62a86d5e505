from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from aurora_deploy.errors import DeployError
from aurora_deploy.runbook.abort import Abort
from aurora_deploy.runbook.execution import StateMachine
from aurora_deploy.runbook.later import recorded, resume, start_later

from .fakes import MACHINE, START, FakeAws

EXECUTION = MACHINE.replace(":stateMachine:", ":execution:")
DOCUMENT = {"failure": {"done": True, "undone": ["cluster orders-staging-op-1 was removed"]}}


class CleaningAws(FakeAws):
    """A clean-up that is started has ended at once, as `outcome` says."""

    outcome = "SUCCEEDED"

    def start_execution(self, *, name: str, **arguments: Any) -> None:
        super().start_execution(name=name, **arguments)
        ended = {"type": f"Execution{self.outcome.capitalize()}", "timestamp": START, "id": 2}
        self.histories[name] = [{"type": "ExecutionStarted", "timestamp": START, "id": 1}, ended]
        self.executions[name] = {"status": self.outcome, "stopDate": START, "output": json.dumps(DOCUMENT)}
        if self.outcome != "SUCCEEDED":
            self.executions[name] |= {"error": "CleanupFailed", "cause": "[AR503] instance is still deleting"}


def record(status: str = "RUNNING", execution: str = "op-1", **facts: Any) -> dict[str, Any]:
    operation = {"execution_id": f"{EXECUTION}:{execution}", **facts}
    state = {"operation": operation, "Undo": {"undone": ["the names were put back"]}}
    return {"operation_id": "op-1", "status": status, "timestamp": "t", "state": state}


def aws_with(status: str, item: dict[str, Any] | None, execution: str = "op-1") -> CleaningAws:
    aws = CleaningAws()
    aws.executions[execution] = {"status": status}
    if item:
        aws.records["op-1"] = item
    return aws


def abort(aws: FakeAws) -> Abort:
    return Abort(
        aws=aws,  # type: ignore[arg-type]  # the fake has what is used
        machine=StateMachine(MACHINE),
        operation="op-1",
        state_table="state",
        tell=lambda _: None,
        now=lambda: START,
        sleep=lambda _: None,
    )


def test_a_running_operation_is_stopped_and_its_clean_up_seen_through() -> None:
    aws = aws_with("RUNNING", record())
    ended = abort(aws).run("wrong snapshot", pause=False)
    assert aws.stopped == [("op-1", "OperationAborted")]
    (started,) = aws.started
    assert (started["name"], started["stateMachineArn"]) == ("op-1-cleanup-1", f"{MACHINE}:live")
    assert json.loads(started["input"]) == {"action": "clean_up", "operation_id": "op-1"}
    assert (ended["status"], ended["document"], ended["stopped"]) == ("ABORTED", DOCUMENT, True)


def test_one_that_was_resumed_is_stopped_where_it_runs_now() -> None:
    aws = aws_with("RUNNING", record(execution="op-1-resume-1", attempt=2), "op-1-resume-1")
    abort(aws).run("x", pause=False)
    assert aws.stopped == [("op-1-resume-1", "OperationAborted")]
    assert aws.started[0]["name"] == "op-1-cleanup-2"


def test_a_paused_operation_is_stopped_and_left_as_it_is() -> None:
    aws = aws_with("RUNNING", record())
    assert abort(aws).run("a fix is coming", pause=True)["status"] == "ABORTED"
    assert (aws.stopped, aws.started) == ([("op-1", "OperationPaused")], [])


def test_one_that_aws_ended_is_cleaned_up_without_being_stopped() -> None:
    aws = aws_with("TIMED_OUT", record())
    assert abort(aws).run("x", pause=False)["stopped"] is False
    assert (aws.stopped, len(aws.started)) == ([], 1)


def test_the_clean_up_that_the_sweep_started_is_followed() -> None:
    aws = aws_with("ABORTED", record())
    started = {"type": "ExecutionStarted", "timestamp": START, "id": 1}
    aws.histories["op-1-cleanup-1"] = [started, {"type": "ExecutionSucceeded", "timestamp": START, "id": 2}]
    running = aws.executions["op-1-cleanup-1"] = {"status": "RUNNING"}

    def pass_time(_seconds: float) -> None:
        running.update({"status": "SUCCEEDED", "stopDate": START, "output": json.dumps(DOCUMENT)})

    following = dataclasses.replace(abort(aws), sleep=pass_time)
    assert following.run("x", pause=False)["document"] == DOCUMENT
    assert aws.started == []


def undoing(execution: str, **facts: Any) -> CleaningAws:
    """An operation that is undone when it is looked at, and has been undone once the execution was followed."""
    aws = aws_with("RUNNING", record(execution=execution), execution)
    aws.executions[execution] |= facts
    aws.histories[execution] = [
        {"type": "ExecutionStarted", "timestamp": START, "id": 1},
        {"type": "ExecutionFailed", "timestamp": START, "id": 2},
    ]
    return aws


@pytest.mark.parametrize("in_the_restore", [True, False])
def test_an_execution_that_undoes_already_is_seen_through_and_not_stopped(in_the_restore: bool) -> None:
    clean_up = json.dumps({"action": "clean_up", "operation_id": "op-1"})
    aws = undoing("op-1") if in_the_restore else undoing("op-1-cleanup-1", input=clean_up)
    if in_the_restore:
        aws.records["op-1"]["state"]["Undo"]["phase"] = "begun"
    (execution,) = aws.executions

    def pass_time(_seconds: float) -> None:
        aws.executions[execution] |= {"status": "FAILED", "stopDate": START}
        aws.records["op-1"]["status"] = "FAILED"

    following = dataclasses.replace(abort(aws), sleep=pass_time)
    with pytest.raises(DeployError, match="is being undone"):
        following.run("x", pause=True)
    ended = following.run("x", pause=False)
    assert (ended["stopped"], ended["document"]["failure"]["undone"]) == (False, ["the names were put back"])
    assert (aws.stopped, aws.started) == ([], [])


def test_one_that_could_not_finish_its_undo_is_followed_by_the_next() -> None:
    aws = undoing("op-1-cleanup-1", input=json.dumps({"action": "clean_up"}))
    ending = {"status": "FAILED", "stopDate": START, "error": "CleanupFailed"}
    following = dataclasses.replace(
        abort(aws), sleep=lambda _: aws.executions["op-1-cleanup-1"].update(ending)
    )
    assert following.run("x", pause=False)["document"] == DOCUMENT
    assert [started["name"] for started in aws.started] == ["op-1-cleanup-2"]


def test_a_failed_clean_up_is_an_error_that_says_why() -> None:
    aws = aws_with("ABORTED", record())
    aws.outcome = "FAILED"
    with pytest.raises(DeployError, match="AR503"):
        abort(aws).run("x", pause=False)


def test_an_operation_that_the_pipeline_has_cleaned_up_is_left_alone() -> None:
    aws = aws_with("FAILED", record("FAILED"))
    assert abort(aws).run("x", pause=False)["document"]["failure"]["undone"] == ["the names were put back"]
    assert (aws.stopped, aws.started) == ([], [])


def test_one_that_had_begun_nothing_is_only_stopped() -> None:
    aws = aws_with("RUNNING", None)
    assert abort(aws).run("x", pause=False)["document"] == {}
    assert (len(aws.stopped), aws.started) == (1, [])


@pytest.mark.parametrize(
    ("executions", "records", "message"),
    [
        ({"op-2": {"status": "SUCCEEDED"}}, {}, "status.yml"),
        ({"op-1": {"status": "SUCCEEDED"}}, {}, "has succeeded"),
        ({"op-1": {"status": "SUCCEEDED"}}, {"op-1": record("SUCCEEDED")}, "rollback.yml"),
        ({"op-1": {"status": "SUCCEEDED"}}, {"op-1": record("ROLLED_BACK")}, "has succeeded"),
    ],
)
def test_what_cannot_be_aborted_is_refused(executions: Any, records: Any, message: str) -> None:
    aws = FakeAws()
    aws.executions, aws.records = executions, records
    with pytest.raises(DeployError, match=message):
        abort(aws).found()


def test_resuming_starts_another_execution_of_the_operation() -> None:
    aws = aws_with("ABORTED", record())
    name = resume(aws, StateMachine(MACHINE), "state", "op-1", check=False)  # type: ignore[arg-type]
    assert name == "op-1-resume-1"
    assert json.loads(aws.started[0]["input"]) == {"action": "resume", "operation_id": "op-1"}


def test_check_mode_only_names_it() -> None:
    aws = aws_with("ABORTED", record(attempt=3))
    assert resume(aws, StateMachine(MACHINE), "state", "op-1", check=True) == "op-1-resume-3"  # type: ignore[arg-type]
    assert aws.started == []


def test_what_has_no_record_cannot_be_resumed() -> None:
    with pytest.raises(DeployError, match="nothing was begun"):
        resume(FakeAws(), StateMachine(MACHINE), "state", "op-1", check=False)  # type: ignore[arg-type]


def test_a_name_that_is_used_up_is_passed_over() -> None:
    aws = aws_with("ABORTED", record())
    aws.executions["op-1-cleanup-1"] = {"status": "FAILED"}
    found = recorded(aws, "state", "op-1")  # type: ignore[arg-type]
    assert found is not None
    assert start_later(aws, StateMachine(MACHINE), found, "cleanup", {}) == "op-1-cleanup-2"  # type: ignore[arg-type]

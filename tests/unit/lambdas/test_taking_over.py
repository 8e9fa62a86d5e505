"""An operation whose execution was ended from outside: cleaned up once, or resumed with nothing done twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from aurora_restore.errors import VerificationFailed
from aurora_restore.store import Status
from tests.unit.lambdas.machine import Execution, Stopped, execution_arn
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline

FAR = {**REQUEST, "source": {**REQUEST["source"], "region": "eu-west-1"}}
LOCK = "us-east-1#orders-staging"


def made() -> Pipeline:
    pipeline = Pipeline()
    pipeline.seed()
    pipeline.regions["eu-west-1"].add_snapshot("far", "orders-prod")
    return pipeline


def clean_up(pipeline: Pipeline, name: str = "one-cleanup-1") -> Execution:
    return pipeline.run({"action": "clean_up", "operation_id": OPERATION}, name)


def resume(pipeline: Pipeline, name: str = "one-resume-1") -> Execution:
    return pipeline.run({"action": "resume", "operation_id": OPERATION}, name)


def names(pipeline: Pipeline) -> tuple[dict[str, str], dict[str, str], set[str]]:
    return pipeline.rds.names(), pipeline.rds.names("instances"), set(pipeline.rds.snapshots)


def stop_at(pipeline: Pipeline, number: int, moment: str) -> None:
    """End the execution right before or right after the change of this number, once."""
    asked: list[int] = []

    def watch(at: int, _what: str) -> str:
        asked.extend([at] if at == number else [])
        if at == number and len(asked) == (1 if moment == "before" else 2):
            raise Stopped
        return ""

    pipeline.rds.kill = watch


def undisturbed() -> tuple[list[str], int]:
    pipeline = made()
    assert pipeline.run(FAR).status == "SUCCEEDED"
    return pipeline.rds.made, len(pipeline.rds.changes)


EVERY_CALL, CALLS = undisturbed()
everywhere = pytest.mark.parametrize("number", range(1, CALLS + 1))
around = pytest.mark.parametrize("moment", ["before", "after"])


@around
@everywhere
def test_a_resumed_operation_does_nothing_twice(number: int, moment: str) -> None:
    pipeline = made()
    stop_at(pipeline, number, moment)
    assert pipeline.run(FAR).status == "ABORTED"
    pipeline.clock.advance(60)
    execution = resume(pipeline)
    assert execution.status == "SUCCEEDED", execution.cause
    assert Counter(pipeline.rds.made) == Counter(EVERY_CALL)
    assert pipeline.store.operations[OPERATION].status is Status.SUCCEEDED
    assert pipeline.store.holder(LOCK) is None
    assert [subject.split(": ")[0] for subject, _ in pipeline.topic.messages] == [
        "[test] Aurora restore started",
        "[test] Aurora restore succeeded",
    ]


@around
@everywhere
def test_a_clean_up_leaves_exactly_one_owner_of_the_name(number: int, moment: str) -> None:
    pipeline = made()
    before = names(pipeline)
    stop_at(pipeline, number, moment)
    pipeline.run(FAR)
    execution = clean_up(pipeline)
    after = names(pipeline)
    assert (execution.status, execution.visited[-1]) == ("SUCCEEDED", "CleanedUp"), execution.cause
    swapped = after[0]["orders-staging"] != before[0]["orders-staging"]
    if swapped:  # all names were in place: the target keeps the verified data
        assert after[0][f"orders-staging-old-{OPERATION}"] == before[0]["orders-staging"]
    else:
        assert after == before
    assert pipeline.store.operations[OPERATION].status is Status.FAILED
    assert pipeline.store.holder(LOCK) is None
    changes, told = len(pipeline.rds.changes), len(pipeline.topic.messages)
    again = clean_up(pipeline, "one-cleanup-2")
    assert (again.status, again.visited[-1]) == ("SUCCEEDED", "NothingToDo")
    assert (len(pipeline.rds.changes), len(pipeline.topic.messages)) == (changes, told)
    resumed = resume(pipeline)
    assert resumed.status == "SUCCEEDED", resumed.cause
    assert names(pipeline)[0][f"orders-staging-old-{OPERATION}"] == before[0]["orders-staging"]


@around
@everywhere
def test_a_clean_up_that_is_itself_stopped_is_finished_by_the_next(number: int, moment: str) -> None:
    pipeline = made()
    before = names(pipeline)
    pipeline.overrides["verify-restore"] = stop_everything
    pipeline.run(FAR)
    stop_at(pipeline, len(pipeline.rds.changes) + number, moment)
    clean_up(pipeline)
    execution = clean_up(pipeline, "one-cleanup-2")
    assert execution.visited[-1] in ("CleanedUp", "NothingToDo")
    assert names(pipeline) == before


def stop_everything(_context: Any, _document: Any) -> dict[str, Any]:
    raise Stopped


def refuse(_context: Any, _document: Any) -> dict[str, Any]:
    raise VerificationFailed("shop.orders has 0 rows, at least 1 expected.")


def test_the_message_of_a_clean_up_says_how_the_execution_ended() -> None:
    pipeline = made()
    pipeline.overrides["verify-restore"] = stop_everything
    pipeline.run()
    clean_up(pipeline)
    subject, text = pipeline.topic.messages[-1]
    assert subject == "[test] Aurora restore FAILED: orders-staging"
    assert "OperationAborted" in text
    assert f"cluster orders-staging-{OPERATION} was removed" in text


def test_a_failed_operation_whose_everything_was_undone_starts_over_with_a_new_plan() -> None:
    pipeline = made()
    pipeline.overrides["verify-restore"] = refuse
    assert pipeline.run().error == "VerificationFailed"
    del pipeline.overrides["verify-restore"]  # the fix was deployed
    pipeline.clock.advance(600)
    pipeline.rds.add_snapshot("prod-newer", "orders-prod", SnapshotCreateTime=pipeline.clock.now())
    execution = resume(pipeline)
    assert execution.status == "SUCCEEDED", execution.cause
    assert execution.output["plan"]["source"]["snapshot_id"] == "prod-newer"
    record = pipeline.store.operations[OPERATION]
    assert (record.status, record.attempt) == (Status.SUCCEEDED, 2)
    assert record.plan["source"]["snapshot_id"] == "prod-newer"


def test_an_operation_that_cannot_be_planned_again_leaves_no_lock() -> None:
    pipeline = made()
    pipeline.overrides["verify-restore"] = refuse
    pipeline.run()
    del pipeline.rds.snapshots["prod-nightly"]
    assert resume(pipeline).error == "SnapshotNotFound"
    assert pipeline.store.holder(LOCK) is None


def test_a_resumed_operation_keeps_the_snapshot_it_began_with() -> None:
    pipeline = made()
    pipeline.overrides["verify-restore"] = stop_everything
    pipeline.run()
    del pipeline.overrides["verify-restore"]
    pipeline.rds.add_snapshot("prod-newer", "orders-prod", SnapshotCreateTime=pipeline.clock.now())
    assert resume(pipeline).output["plan"]["source"]["snapshot_id"] == "prod-nightly"


def refused(pipeline: Pipeline, text: str) -> None:
    changes, record = len(pipeline.rds.changes), pipeline.store.operations.get(OPERATION)
    execution = resume(pipeline, "one-resume-refused")
    assert (execution.status, execution.error) == ("FAILED", "NotResumable")
    assert text in execution.cause
    assert execution.visited[-1] == "TakeOverFailed"
    assert (len(pipeline.rds.changes), pipeline.store.operations.get(OPERATION)) == (changes, record)


def test_what_never_began_is_not_resumed() -> None:
    refused(made(), "no record")


def test_what_succeeded_is_not_resumed() -> None:
    pipeline = made()
    pipeline.run()
    refused(pipeline, "SUCCEEDED")


def test_what_still_runs_is_neither_resumed_nor_cleaned_up() -> None:
    pipeline = made()
    pipeline.overrides["verify-restore"] = stop_everything
    pipeline.run()
    pipeline.step_functions.executions[execution_arn(OPERATION)]["status"] = "RUNNING"
    refused(pipeline, "is running")
    assert clean_up(pipeline).visited[-1] == "NothingToDo"


def test_what_is_half_cleaned_up_is_not_resumed() -> None:
    pipeline = made()
    pipeline.overrides["verify-restore"] = stop_everything
    pipeline.run()
    stop_at(pipeline, len(pipeline.rds.changes) + 1, "after")
    clean_up(pipeline)
    refused(pipeline, "has begun and has not ended")


def test_a_target_that_another_operation_holds_by_now_is_left_alone() -> None:
    pipeline = made()
    pipeline.overrides["verify-restore"] = stop_everything
    pipeline.run()
    pipeline.store.release(LOCK, OPERATION)
    pipeline.store.acquire(LOCK, "the-other", 2**31, pipeline.context.now())
    changes = len(pipeline.rds.changes)
    execution = clean_up(pipeline)
    assert (execution.status, execution.error, execution.visited[-1]) == ("FAILED", "LockHeld", "TakeOverFailed")
    assert len(pipeline.rds.changes) == changes


def test_a_function_that_outlives_its_execution_is_waited_for() -> None:
    pipeline = made()
    pipeline.overrides["verify-restore"] = stop_everything
    pipeline.run()
    started = pipeline.clock.now()
    pipeline.step_functions.histories[execution_arn(OPERATION)] = [
        {"type": "ExecutionAborted", "timestamp": started},
        {"type": "TaskStateAborted", "timestamp": started},
        {"type": "LambdaFunctionStarted", "timestamp": started},
        {"type": "LambdaFunctionScheduled", "timestamp": started},
        {
            "type": "TaskStateEntered",
            "timestamp": started,
            "stateEnteredEventDetails": {"name": "VerifyRestore"},
        },
    ]
    execution = clean_up(pipeline)
    assert execution.visited.count("WaitForQuiet") == 61  # 300 s of the function's own time-out, every 5 s
    assert execution.visited[-1] == "CleanedUp"


def test_an_execution_that_aws_has_forgotten_is_cleaned_up_all_the_same() -> None:
    pipeline = made()
    before = names(pipeline)
    pipeline.overrides["verify-restore"] = stop_everything
    pipeline.run()
    pipeline.step_functions.executions.clear()
    assert clean_up(pipeline).visited[-1] == "CleanedUp"
    assert names(pipeline) == before


@around
@pytest.mark.parametrize("number", range(1, 10))
def test_a_stopped_rollback_is_resumed_or_turned_back(number: int, moment: str) -> None:
    for way in (resume, clean_up):
        pipeline = made()
        before = names(pipeline)[0]["orders-staging"]
        pipeline.run(REQUEST, "first-restore")
        swapped = names(pipeline)[0]["orders-staging"]
        stop_at(pipeline, len(pipeline.rds.changes) + number, moment)
        request = {"action": "rollback", "rolls_back": "first-restore", "operation_id": OPERATION}
        stopped = pipeline.run(request)
        if stopped.status == "SUCCEEDED":
            assert number > 8
            continue
        execution = way(pipeline)
        assert execution.status == "SUCCEEDED", execution.cause
        owner = names(pipeline)[0]["orders-staging"]
        assert owner == before if way is resume else owner in (before, swapped)
        assert set(names(pipeline)[1]) >= {"orders-staging-1", "orders-staging-2"}
        assert pipeline.store.holder(LOCK) is None


def test_names_that_are_not_back_when_the_time_is_over_are_put_back_by_the_next_clean_up() -> None:
    pipeline = made()
    before = names(pipeline)

    def slow_down(_number: int, what: str) -> str:
        pipeline.rds.delay = 9000 if what == "modify_db_instance" else pipeline.rds.delay
        return ""

    pipeline.rds.kill = slow_down
    start = pipeline.context.now()
    execution = pipeline.run(FAR)
    assert (execution.status, execution.error) == ("FAILED", "CleanupFailed")
    assert "The names of orders-staging and its instances are not all back yet" in execution.cause
    assert pipeline.context.now() - start <= 7200
    assert pipeline.store.operations[OPERATION].status is Status.RUNNING
    assert "AWAY" in pipeline.topic.messages[-1][0]
    pipeline.rds.kill = lambda _number, _what: ""
    pipeline.rds.delay = 0
    pipeline.clock.advance(10_000)
    (name,) = pipeline.sweep()["started"]
    assert clean_up(pipeline, name).visited[-1] == "CleanedUp"
    assert names(pipeline) == before
    assert pipeline.store.operations[OPERATION].status is Status.FAILED

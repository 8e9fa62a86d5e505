"""Every problem at once: one keeps its class, several come together in one error."""

from __future__ import annotations

import pytest

from aurora_restore.errors import LockHeld, NameTaken, RestoreError, RetryableAwsError, SeveralProblems, TargetNotFound
from aurora_restore.failure import read_failure
from aurora_restore.planning.problems import Problems
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline


def refuse(error: RestoreError) -> None:
    raise error


def test_no_problem_raises_nothing_and_gives_what_was_looked_for() -> None:
    problems = Problems()
    assert problems.need(problems.check(lambda: 7)) == 7
    problems.raise_found()


def test_one_problem_keeps_its_class() -> None:
    problems = Problems()
    for _ in range(2):  # told by two checks, it still is one
        assert problems.check(refuse, NameTaken("x exists.")) is None
    with pytest.raises(NameTaken):
        problems.raise_found()
    with pytest.raises(NameTaken):
        problems.need(None)


def test_several_are_listed_by_code_with_their_fixes() -> None:
    problems = Problems()
    problems.check(refuse, LockHeld("held.", remedy="Wait for it."))
    problems.check(refuse, TargetNotFound("missing.", remedy="Name another."))
    with pytest.raises(SeveralProblems) as caught:
        problems.raise_found()
    assert caught.value.message == (
        "2 problems: (1) AR103 TargetNotFound: missing. Fix: Name another.; (2) AR201 LockHeld: held. Fix: Wait for it."
    )
    assert [problem["code"] for problem in caught.value.details()["problems"]] == ["AR103", "AR201"]
    failure = read_failure({"Error": "SeveralProblems", "Cause": str(caught.value)})
    assert (failure.code, failure.remedy) == ("AR112", SeveralProblems.default_remedy)


def test_a_disturbance_of_aws_is_no_problem_of_the_request() -> None:
    problems = Problems()
    with pytest.raises(RetryableAwsError):
        problems.check(refuse, RetryableAwsError("Throttling."))
    problems.raise_found()


def test_an_execution_tells_all_that_is_wrong_in_one_failure() -> None:
    pipeline = Pipeline()
    pipeline.seed()
    pipeline.rds.clusters[pipeline.rds.names()["orders-staging"]]["Status"] = "modifying"
    pipeline.rds.snapshots["prod-nightly"]["Status"] = "creating"
    pipeline.rds.add_cluster(f"orders-staging-old-{OPERATION}")
    pipeline.store.acquire("us-east-1#orders-staging", "somebody", pipeline.context.now() + 60, pipeline.context.now())
    ended = pipeline.run({**REQUEST, "dry_run": True})
    assert (ended.status, ended.error) == ("FAILED", "SeveralProblems")
    for code in ("AR105", "AR109", "AR111", "AR201"):
        assert f") {code} " in ended.cause
    (event,) = [event for event in pipeline.store.events if event["status"] == "FAILED"]
    assert {problem["error"] for problem in event["details"]["problems"]} == {
        "TargetNotAvailable",
        "SnapshotNotAvailable",
        "NameTaken",
        "LockHeld",
    }
    assert pipeline.rds.changes == []

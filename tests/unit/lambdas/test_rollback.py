"""A restore that is rolled back: names, data and records as before it, and death at every single call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aurora_restore.clock import parse_iso
from aurora_restore.store import Status
from tests.unit.lambdas.machine import Execution
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline

ROLLBACK = "rollback-one"
OLD = f"orders-staging-old-{OPERATION}"
RESTORED = f"orders-staging-{OPERATION}"
Names = tuple[dict[str, str], dict[str, str]]


def names(pipeline: Pipeline) -> Names:
    return pipeline.rds.names(), pipeline.rds.names("instances")


@pytest.fixture
def restored() -> tuple[Pipeline, Names]:
    """A pipeline after a success, and the names before it."""
    pipeline = Pipeline()
    pipeline.seed()
    before = names(pipeline)
    assert pipeline.run().status == "SUCCEEDED"
    return pipeline, before


def roll_back(pipeline: Pipeline, operation: Any = OPERATION, name: str = ROLLBACK) -> Execution:
    target = {"cluster": "orders-staging"}
    return pipeline.run({"action": "rollback", "rolls_back": operation, "operation_id": name, "target": target}, name)


def tags(pipeline: Pipeline, name: str) -> Mapping[str, str]:
    cluster = pipeline.rds.clusters[pipeline.rds.names()[name]]
    return {tag["Key"]: tag["Value"] for tag in cluster["TagList"]}


def test_the_old_cluster_is_the_target_again_and_the_restored_one_stands_beside_it(
    restored: tuple[Pipeline, Names],
) -> None:
    pipeline, before = restored
    swapped = names(pipeline)
    execution = roll_back(pipeline)
    after = names(pipeline)
    assert execution.status == "SUCCEEDED", execution.cause
    assert after[0] == {**before[0], RESTORED: swapped[0]["orders-staging"]}
    for number in (1, 2):
        assert after[1][f"orders-staging-{number}"] == before[1][f"orders-staging-{number}"]
        assert after[1][f"{RESTORED}-{number}"] == swapped[1][f"orders-staging-{number}"]
    assert pipeline.store.operations[OPERATION].status is Status.ROLLED_BACK
    assert pipeline.store.operations[ROLLBACK].status is Status.SUCCEEDED
    assert pipeline.store.holder("us-east-1#orders-staging") is None


def test_the_marks_of_a_replaced_cluster_change_places(restored: tuple[Pipeline, Names]) -> None:
    pipeline, _ = restored
    assert tags(pipeline, OLD)["aurora-restore:replaced-by"] == OPERATION
    roll_back(pipeline)
    assert not {"aurora-restore:expires-at", "aurora-restore:replaced-by"} & set(tags(pipeline, "orders-staging"))
    assert tags(pipeline, RESTORED)["aurora-restore:replaced-by"] == ROLLBACK
    assert parse_iso(tags(pipeline, RESTORED)["aurora-restore:expires-at"]) > pipeline.clock.now()


def test_start_and_end_are_told_and_no_duration_is_remembered(restored: tuple[Pipeline, Names]) -> None:
    pipeline, _ = restored
    remembered = pipeline.store.history("us-east-1#orders-staging")
    roll_back(pipeline)
    assert [subject for subject, _ in pipeline.topic.messages[-2:]] == [
        "[test] Aurora restore rollback started: orders-staging",
        "[test] Aurora restore rolled back: orders-staging",
    ]
    assert f"Rolls back: {OPERATION}" in pipeline.topic.messages[-1][1]
    assert pipeline.store.history("us-east-1#orders-staging") == remembered


def test_the_target_can_be_restored_and_rolled_back_again(restored: tuple[Pipeline, Names]) -> None:
    pipeline, before = restored
    roll_back(pipeline)
    assert pipeline.run(REQUEST, "second-restore").status == "SUCCEEDED"
    assert roll_back(pipeline, "second-restore", "rollback-two").status == "SUCCEEDED"
    assert names(pipeline)[0]["orders-staging"] == before[0]["orders-staging"]


def refused(pipeline: Pipeline, operation: Any, error: str, text: str) -> None:
    before, changes = names(pipeline), len(pipeline.rds.changes)
    execution = roll_back(pipeline, operation, "rollback-refused")
    assert (execution.status, execution.error) == ("FAILED", error)
    assert text in execution.cause
    assert (names(pipeline), len(pipeline.rds.changes)) == (before, changes)
    assert pipeline.store.holder("us-east-1#orders-staging") is None


@pytest.mark.parametrize("operation", [None, 7, "x", "UPPER-CASE"])
def test_a_malformed_operation_is_refused(restored: tuple[Pipeline, Names], operation: Any) -> None:
    refused(restored[0], operation, "InvalidRequest", "rolls_back")


def test_an_unknown_operation_is_refused(restored: tuple[Pipeline, Names]) -> None:
    refused(restored[0], "never-was", "RollbackImpossible", "no record")


def test_a_second_rollback_is_refused(restored: tuple[Pipeline, Names]) -> None:
    roll_back(restored[0])
    refused(restored[0], OPERATION, "RollbackImpossible", "rolled back already")


def test_a_rollback_is_not_rolled_back(restored: tuple[Pipeline, Names]) -> None:
    roll_back(restored[0])
    refused(restored[0], ROLLBACK, "RollbackImpossible", "did not swap")


def test_a_failed_restore_is_refused(restored: tuple[Pipeline, Names]) -> None:
    restored[0].rds.fail["create_db_instance"] = ["InsufficientDBInstanceCapacity"]
    assert restored[0].run(REQUEST, "failed-one").status == "FAILED"
    refused(restored[0], "failed-one", "RollbackImpossible", "did not swap")


def test_a_restore_that_a_later_one_replaced_is_refused_until_that_is_rolled_back(
    restored: tuple[Pipeline, Names],
) -> None:
    pipeline, before = restored
    assert pipeline.run(REQUEST, "later-restore").status == "SUCCEEDED"
    refused(pipeline, OPERATION, "RollbackImpossible", "is called orders-staging-old-later-restore now")
    assert roll_back(pipeline, "later-restore", "rollback-later").status == "SUCCEEDED"
    assert roll_back(pipeline).status == "SUCCEEDED"
    assert names(pipeline)[0]["orders-staging"] == before[0]["orders-staging"]


def test_an_old_cluster_that_is_gone_is_refused(restored: tuple[Pipeline, Names]) -> None:
    pipeline, before = restored
    del pipeline.rds.clusters[before[0]["orders-staging"]]
    refused(pipeline, OPERATION, "RollbackImpossible", f"the cluster {OLD} does not exist any more")


def test_an_old_cluster_without_instances_is_refused(restored: tuple[Pipeline, Names]) -> None:
    pipeline, before = restored
    for number in (1, 2):
        del pipeline.rds.instances[before[1][f"orders-staging-{number}"]]
    refused(pipeline, OPERATION, "RollbackImpossible", "has no instances left")


def test_an_old_cluster_that_lost_one_reader_is_good_enough(restored: tuple[Pipeline, Names]) -> None:
    pipeline, before = restored
    del pipeline.rds.instances[before[1]["orders-staging-2"]]
    assert roll_back(pipeline).status == "SUCCEEDED"
    assert names(pipeline)[0]["orders-staging"] == before[0]["orders-staging"]


def test_an_owner_who_withdrew_the_opt_in_is_respected(restored: tuple[Pipeline, Names]) -> None:
    pipeline, before = restored
    pipeline.rds.clusters[before[0]["orders-staging"]]["TagList"] = []
    refused(pipeline, OPERATION, "TargetNotAllowed", "aurora-restore:target")


def test_a_rollback_that_fails_half_way_leaves_the_restored_cluster_as_the_target(
    restored: tuple[Pipeline, Names],
) -> None:
    pipeline, _ = restored
    swapped = names(pipeline)
    made = len(pipeline.rds.changes)

    def watch(at: int, _what: str) -> str:
        if at == made + 3:
            pipeline.rds.fail["describe_db_clusters"] = ["AccessDenied"]
        return ""

    pipeline.rds.kill = watch
    execution = roll_back(pipeline)
    assert (execution.status, execution.error) == ("FAILED", "AccessDenied")
    assert names(pipeline) == swapped
    assert pipeline.store.operations[OPERATION].status is Status.SUCCEEDED
    assert pipeline.store.holder("us-east-1#orders-staging") is None


def _calls_of_a_rollback() -> int:
    pipeline = Pipeline()
    pipeline.seed()
    pipeline.run()
    before = len(pipeline.rds.changes)
    roll_back(pipeline)
    return len(pipeline.rds.changes) - before


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, _calls_of_a_rollback() + 1))
def test_death_at_any_call_is_survived_by_the_retry(restored: tuple[Pipeline, Names], number: int, moment: str) -> None:
    pipeline, before = restored
    made, died = len(pipeline.rds.changes), []

    def kill(at: int, _what: str) -> str:
        if at == made + number and not died:
            died.append(moment)
            return moment
        return ""

    pipeline.rds.kill = kill
    execution = roll_back(pipeline)
    assert died
    assert execution.status == "SUCCEEDED", execution.cause
    assert names(pipeline)[0]["orders-staging"] == before[0]["orders-staging"]
    assert names(pipeline)[1]["orders-staging-1"] == before[1]["orders-staging-1"]
    assert "aurora-restore:expires-at" not in tags(pipeline, "orders-staging")
    assert "aurora-restore:expires-at" in tags(pipeline, RESTORED)

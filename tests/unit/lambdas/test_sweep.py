"""The sweep: stranded operations are cleaned up once, expired clusters go, and nothing else is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aurora_restore.errors import AwsCallFailed
from aurora_restore.store import Status
from tests.unit.lambdas.fake_step_functions import MACHINE
from tests.unit.lambdas.machine import Stopped, execution_arn
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline

OLD = f"orders-staging-old-{OPERATION}"
HOURS = 3600
CLEAN_UP = {"action": "clean_up", "operation_id": OPERATION}


@pytest.fixture
def pipeline() -> Pipeline:
    made = Pipeline()
    made.seed()
    return made


def stop(_context: Any, _document: Any) -> dict[str, Any]:
    raise Stopped


def stranded(pipeline: Pipeline, **execution: Any) -> None:
    pipeline.overrides["verify-restore"] = stop
    pipeline.run()
    del pipeline.overrides["verify-restore"]
    pipeline.step_functions.executions[execution_arn(OPERATION)].update(execution)


def sweep_until_quiet(pipeline: Pipeline) -> list[str]:
    removed: list[str] = []
    for _ in range(6):
        removed += pipeline.sweep()["removed"]
        pipeline.clock.advance(900)
    return removed


def test_nothing_to_do_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.run()
    changes = len(pipeline.rds.changes)
    assert pipeline.sweep() == {"started": [], "removed": []}
    assert (len(pipeline.rds.changes), pipeline.step_functions.started) == (changes, [])


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", "FAILED"])
def test_a_stranded_operation_is_cleaned_up_once_however_often_the_event_comes(pipeline: Pipeline, status: str) -> None:
    before = pipeline.rds.names()
    stranded(pipeline, status=status)
    assert pipeline.sweep()["started"] == [f"{OPERATION}-cleanup-1"]
    assert pipeline.sweep()["started"] == []
    (started,) = pipeline.step_functions.started
    assert started == {"machine": MACHINE, "name": f"{OPERATION}-cleanup-1", "input": json.dumps(CLEAN_UP)}
    assert pipeline.run(CLEAN_UP, started["name"]).visited[-1] == "CleanedUp"
    assert pipeline.rds.names() == before
    assert pipeline.sweep()["started"] == []
    assert pipeline.store.operations[OPERATION].status is Status.FAILED


def test_the_alias_that_started_an_execution_starts_its_clean_up(pipeline: Pipeline) -> None:
    stranded(pipeline, stateMachineAliasArn=f"{MACHINE}:live")
    pipeline.sweep()
    assert pipeline.step_functions.started[0]["machine"] == f"{MACHINE}:live"


def test_a_clean_up_that_was_stopped_is_followed_by_another(pipeline: Pipeline) -> None:
    stranded(pipeline)
    pipeline.sweep()
    pipeline.rds.fail["delete_db_cluster"] = ["AccessDenied"]
    assert pipeline.run(CLEAN_UP, f"{OPERATION}-cleanup-1").visited[-1] == "CleanupFailed"
    assert pipeline.sweep()["started"] == [f"{OPERATION}-cleanup-2"]


def test_a_clean_up_that_could_not_begin_is_tried_under_another_name(pipeline: Pipeline) -> None:
    stranded(pipeline)
    pipeline.store.release("us-east-1#orders-staging", OPERATION)
    now = pipeline.context.now()
    pipeline.store.acquire("us-east-1#orders-staging", "the-other", now + HOURS, now)
    (first,) = pipeline.sweep()["started"]
    assert pipeline.run(CLEAN_UP, first).error == "LockHeld"
    pipeline.clock.advance(2 * HOURS)
    (second,) = pipeline.sweep()["started"]
    assert second != first
    assert pipeline.run(CLEAN_UP, second).visited[-1] == "CleanedUp"


def test_a_clean_up_that_never_works_is_given_up(pipeline: Pipeline) -> None:
    stranded(pipeline)
    for number in range(1, 12):
        for started in pipeline.sweep()["started"]:
            pipeline.rds.fail["describe_db_clusters"] = ["AccessDenied"]
            pipeline.run(CLEAN_UP, started)
            pipeline.rds.fail.clear()
        assert len(pipeline.step_functions.started) == min(number, 9)


def test_a_running_execution_is_left_alone(pipeline: Pipeline) -> None:
    stranded(pipeline, status="RUNNING")
    assert pipeline.sweep()["started"] == []


def test_a_forgotten_execution_is_cleaned_up_all_the_same(pipeline: Pipeline) -> None:
    stranded(pipeline)
    pipeline.step_functions.executions.clear()
    assert pipeline.sweep()["started"] == [f"{OPERATION}-cleanup-1"]
    assert pipeline.step_functions.started[0]["machine"] == MACHINE


def test_a_paused_operation_waits_until_its_lease_is_over(pipeline: Pipeline) -> None:
    stranded(pipeline, error="OperationPaused")
    assert pipeline.sweep()["started"] == []
    pipeline.clock.advance(3 * HOURS)
    assert pipeline.sweep()["started"] == [f"{OPERATION}-cleanup-1"]


def test_an_old_cluster_goes_with_its_instances_when_its_time_is_over(pipeline: Pipeline) -> None:
    pipeline.run()
    pipeline.clock.advance(22 * HOURS)
    assert sweep_until_quiet(pipeline) == []
    assert OLD in pipeline.rds.names()
    pipeline.clock.advance(2 * HOURS)
    assert sweep_until_quiet(pipeline) == [OLD]
    assert set(pipeline.rds.names()) == {"orders-prod", "orders-staging"}
    assert set(pipeline.rds.names("instances")) == {"orders-prod-1", "orders-staging-1", "orders-staging-2"}
    assert set(pipeline.rds.snapshots) == {"prod-nightly"}
    assert pipeline.store.holder("us-east-1#orders-staging") is None
    assert pipeline.store.events[-1]["details"] == {"removed": OLD, "final_snapshot": "none"}


def test_a_last_snapshot_is_taken_where_asked(pipeline: Pipeline) -> None:
    pipeline.run({**REQUEST, "retention": {"keep_old_hours": 1, "final_snapshot": True}})
    pipeline.rds.clusters[pipeline.rds.names()[OLD]]["DeletionProtection"] = True
    pipeline.clock.advance(2 * HOURS)
    assert sweep_until_quiet(pipeline) == [OLD]
    assert pipeline.rds.snapshots[f"{OLD}-final"]["DBClusterIdentifier"] == OLD


def test_a_cluster_side_by_side_leaves_the_target_alone_and_goes_when_its_time_is_over(pipeline: Pipeline) -> None:
    before = pipeline.rds.names()
    execution = pipeline.run({**REQUEST, "strategy": "side_by_side"})
    beside = f"orders-staging-{OPERATION}"
    assert (execution.status, execution.output["archive"]["side_by_side"]) == ("SUCCEEDED", beside)
    assert "SwapClusters" not in execution.visited
    assert {name: pipeline.rds.names()[name] for name in before} == before
    assert f"{beside} is kept until" in pipeline.topic.messages[-1][1]
    pipeline.clock.advance(25 * HOURS)
    assert sweep_until_quiet(pipeline) == [beside]
    assert pipeline.rds.names() == before


def test_what_a_rollback_put_aside_goes_and_the_target_stays(pipeline: Pipeline) -> None:
    before = pipeline.rds.names()
    pipeline.run()
    pipeline.run({"action": "rollback", "rolls_back": OPERATION, "operation_id": "rollback-one"}, "rollback-one")
    pipeline.clock.advance(25 * HOURS)
    assert sweep_until_quiet(pipeline) == [f"orders-staging-{OPERATION}"]
    assert pipeline.rds.names() == before


def test_a_target_that_another_operation_holds_is_left_for_later(pipeline: Pipeline) -> None:
    pipeline.run()
    pipeline.clock.advance(25 * HOURS)
    now = pipeline.context.now()
    pipeline.store.acquire("us-east-1#orders-staging", "the-other", now + HOURS, now)
    assert pipeline.sweep()["removed"] == []
    assert OLD in pipeline.rds.names()
    pipeline.clock.advance(2 * HOURS)
    assert sweep_until_quiet(pipeline) == [OLD]


def tag(pipeline: Pipeline, name: str, **tags: str) -> None:
    cluster = pipeline.rds.clusters[pipeline.rds.names()[name]]
    cluster["TagList"] = [*cluster["TagList"], *({"Key": f"aurora-restore:{key}", "Value": tags[key]} for key in tags)]


@pytest.mark.parametrize("name", ["orders-prod", "orders-staging"])
@pytest.mark.parametrize("mark", ["operation", "replaced-by"])
@pytest.mark.parametrize("operation", [OPERATION, "nobodys-one"])
def test_tags_that_somebody_copied_onto_another_cluster_delete_nothing(
    pipeline: Pipeline, name: str, mark: str, operation: str
) -> None:
    pipeline.run({**REQUEST, "retention": {"keep_old_hours": 8000}})
    tag(pipeline, name, **{"expires-at": "2026-11-23T00:00:00.000000Z", mark: operation})
    before = pipeline.rds.names()
    assert sweep_until_quiet(pipeline) == []
    assert pipeline.rds.names() == before


def test_an_expiry_alone_or_one_that_cannot_be_read_deletes_nothing(pipeline: Pipeline) -> None:
    pipeline.rds.add_cluster("alone", tags={"aurora-restore:expires-at": "2020-01-01T00:00:00Z"})
    pipeline.rds.add_cluster("odd", tags={"aurora-restore:expires-at": "soon", "aurora-restore:operation": "some-one"})
    assert sweep_until_quiet(pipeline) == []
    assert {"alone", "odd"} <= set(pipeline.rds.names())


def test_one_that_fails_keeps_no_other_from_its_turn_and_is_not_hidden(pipeline: Pipeline) -> None:
    stranded(pipeline)
    pipeline.run({**REQUEST, "target": {"cluster": "orders-staging"}, "operation_id": "second-one"}, "second-one")

    def refuse(**_: Any) -> dict[str, Any]:
        raise AwsCallFailed("DescribeExecution: AccessDenied: m.", aws_code="AccessDenied")

    pipeline.rds.add_cluster(
        "beside", tags={"aurora-restore:expires-at": "2020-01-01T00:00:00Z", "aurora-restore:operation": "side-one"}
    )
    pipeline.store.begin("side-one", {"execution_id": "e", "plan": side_by_side_plan()})
    resource_id = pipeline.rds.clusters[pipeline.rds.names()["beside"]]["DbClusterResourceId"]
    pipeline.store.journal("side-one", "RestoreSnapshot", {"cluster_id": "beside", "cluster_resource_id": resource_id})
    pipeline.store.set_status("side-one", Status.SUCCEEDED)
    pipeline.step_functions.describe_execution = refuse  # type: ignore[method-assign]
    with pytest.raises(AwsCallFailed):
        pipeline.sweep()
    assert "delete_db_instance" in pipeline.rds.changes


def side_by_side_plan() -> dict[str, Any]:
    return {"target": {"region": "us-east-1", "cluster": "other"}, "retention": {"final_snapshot": False}}

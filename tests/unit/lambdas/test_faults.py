"""What AWS and people do to a running operation, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aurora_restore.context import Context
from aurora_restore.store import Status
from tests.unit.lambdas.fake_rds import FakeRds
from tests.unit.lambdas.machine import Execution
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline

NEW = f"orders-staging-{OPERATION}"
COPY = f"orders-staging-copy-{OPERATION}"
FAR = {**REQUEST, "source": {**REQUEST["source"], "region": "eu-west-1"}}


@pytest.fixture
def pipeline() -> Pipeline:
    made = Pipeline()
    made.seed()
    made.regions["eu-west-1"].add_snapshot("far", "orders-prod")
    return made


def on_call(pipeline: Pipeline, operation: str, react: Callable[[FakeRds], None]) -> None:
    """Run `react` once, right after the first call of `operation`."""
    done: list[str] = []

    def watch(_number: int, what: str) -> str:
        if what == operation:
            done.append(what)
            if len(done) == 2:  # the hook is asked before and after each call
                react(pipeline.rds)
        return ""

    pipeline.rds.kill = watch


def client_error(code: str) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    return ClientError(answer, "Publish")


def ends_as_before(pipeline: Pipeline, execution: Execution, error: str) -> None:
    assert (execution.status, execution.error) == ("FAILED", error), execution.cause
    assert set(pipeline.rds.names()) == {"orders-prod", "orders-staging"}
    assert set(pipeline.rds.names("instances")) == {"orders-prod-1", "orders-staging-1", "orders-staging-2"}
    assert set(pipeline.rds.snapshots) == {"prod-nightly"}
    assert pipeline.store.holder("us-east-1#orders-staging") is None


def update(name: str, **changes: Any) -> Callable[[FakeRds], None]:
    """Change the cluster of this name, for good: what is scheduled for it no longer happens."""

    def react(rds: FakeRds) -> None:
        rds.cancel_changes()
        rds.clusters[rds.names()[name]].update(changes)

    return react


@pytest.mark.parametrize("status", ["incompatible-restore", "inaccessible-encryption-credentials", "failed"])
def test_a_cluster_that_cannot_become_available_ends_the_restore(pipeline: Pipeline, status: str) -> None:
    on_call(pipeline, "restore_db_cluster_from_snapshot", update(NEW, Status=status))
    pipeline.rds.deletable = (status,)
    ends_as_before(pipeline, pipeline.run(), "RestoreFailed")


def test_a_cluster_that_vanishes_ends_the_restore(pipeline: Pipeline) -> None:
    on_call(pipeline, "restore_db_cluster_from_snapshot", lambda rds: rds.clusters.pop(rds.names()[NEW]) and None)
    ends_as_before(pipeline, pipeline.run(), "RestoreFailed")


def test_an_instance_that_cannot_become_available_ends_the_restore(pipeline: Pipeline) -> None:
    def react(rds: FakeRds) -> None:
        rds.cancel_changes()
        rds.instances[rds.names("instances")[f"{NEW}-1"]]["DBInstanceStatus"] = "incompatible-parameters"

    on_call(pipeline, "create_db_instance", react)
    ends_as_before(pipeline, pipeline.run(), "InstanceFailed")


def test_a_copy_that_fails_ends_the_restore_and_is_removed(pipeline: Pipeline) -> None:
    def react(rds: FakeRds) -> None:
        rds.cancel_changes()
        rds.snapshots[COPY]["Status"] = "failed"

    on_call(pipeline, "copy_db_cluster_snapshot", react)
    ends_as_before(pipeline, pipeline.run(FAR), "CopyFailed")


def test_a_failure_while_the_copy_is_there_removes_it(pipeline: Pipeline) -> None:
    pipeline.rds.fail["restore_db_cluster_from_snapshot"] = ["DBClusterQuotaExceededFault"]
    ends_as_before(pipeline, pipeline.run(FAR), "QuotaExceeded")


def test_a_full_snapshot_quota_is_an_error_and_not_a_wait(pipeline: Pipeline) -> None:
    pipeline.rds.fail["copy_db_cluster_snapshot"] = ["SnapshotQuotaExceeded"]
    ends_as_before(pipeline, pipeline.run(FAR), "QuotaExceeded")


def test_a_copy_is_kept_on_request(pipeline: Pipeline) -> None:
    execution = pipeline.run({**FAR, "retention": {"keep_old_hours": 1, "keep_copy": True}})
    assert execution.output["archive"]["copy"] == "kept"
    assert COPY in pipeline.rds.snapshots


def test_throttling_is_retried_by_the_state_machine(pipeline: Pipeline) -> None:
    pipeline.rds.fail["restore_db_cluster_from_snapshot"] = ["Throttling", "Throttling"]
    assert pipeline.run().status == "SUCCEEDED"


def test_throttling_without_end_is_given_up(pipeline: Pipeline) -> None:
    pipeline.rds.fail["restore_db_cluster_from_snapshot"] = ["Throttling"] * 4
    ends_as_before(pipeline, pipeline.run(), "RetryableAwsError")


@pytest.mark.parametrize("code", ["InvalidDBInstanceState", "DBInstanceNotFound"])
def test_a_rename_that_aws_refuses_for_now_is_tried_again(pipeline: Pipeline, code: str) -> None:
    """Not found is what a listing that lags behind the rename before leads to."""
    pipeline.rds.fail["modify_db_instance"] = [code]
    assert pipeline.run().status == "SUCCEEDED"


def test_somebody_elses_cluster_of_that_name_is_left_alone(pipeline: Pipeline) -> None:
    def arrive(rds: FakeRds) -> None:
        rds.add_cluster(NEW, tags={"owner": "somebody"})

    pipeline.regions["eu-west-1"].kill = lambda _number, _what: ""
    on_call(pipeline, "copy_db_cluster_snapshot", arrive)
    execution = pipeline.run(FAR)
    assert (execution.status, execution.error) == ("FAILED", "NameTaken")
    assert NEW in pipeline.rds.names()
    assert COPY not in pipeline.rds.snapshots


def test_a_lost_lock_stops_the_swap_before_the_next_rename(pipeline: Pipeline) -> None:
    def lose(_rds: FakeRds) -> None:
        pipeline.store.release("us-east-1#orders-staging", OPERATION)
        pipeline.store.acquire("us-east-1#orders-staging", "the-other", 2**31, pipeline.context.now())

    on_call(pipeline, "modify_db_instance", lose)
    execution = pipeline.run()
    assert (execution.status, execution.error) == ("FAILED", "LockLost")
    assert set(pipeline.rds.names()) == {"orders-prod", "orders-staging"}
    holder = pipeline.store.holder("us-east-1#orders-staging")
    assert holder is not None
    assert holder.owner == "the-other"


def test_a_target_that_vanishes_during_the_swap_ends_it(pipeline: Pipeline) -> None:
    on_call(pipeline, "modify_db_instance", lambda rds: rds.clusters.pop(rds.names()["orders-staging"]) and None)
    execution = pipeline.run()
    assert execution.status == "FAILED"
    assert execution.visited[-1] == "CleanupFailed"


def test_the_target_gets_its_names_back_though_the_restored_instance_vanished(pipeline: Pipeline) -> None:
    def vanish(rds: FakeRds) -> None:
        rds.instances.pop(rds.names("instances")[f"{NEW}-1"])

    on_call(pipeline, "modify_db_instance", vanish)
    ends_as_before(pipeline, pipeline.run(), "SwapFailed")


def test_an_undo_that_fails_says_so(pipeline: Pipeline) -> None:
    pipeline.rds.fail["create_db_instance"] = ["InsufficientDBInstanceCapacity"]
    pipeline.rds.fail["delete_db_cluster"] = ["AccessDenied"]
    execution = pipeline.run()
    assert (execution.status, execution.error) == ("FAILED", "CleanupFailed")
    assert "AR303" in execution.cause


def test_a_deletion_protected_leftover_is_unprotected_and_removed(pipeline: Pipeline) -> None:
    def protect(rds: FakeRds) -> None:
        rds.clusters[rds.names()[NEW]]["DeletionProtection"] = True
        rds.fail["create_db_instance"] = ["InsufficientDBInstanceCapacity"]

    on_call(pipeline, "restore_db_cluster_from_snapshot", protect)
    ends_as_before(pipeline, pipeline.run(), "CapacityExhausted")


def test_a_topic_that_refuses_neither_keeps_the_target_locked_nor_hides_the_error(pipeline: Pipeline) -> None:
    def refuse(**_: Any) -> dict[str, str]:
        raise client_error("AuthorizationError")

    pipeline.topic.publish = refuse  # type: ignore[method-assign]
    execution = pipeline.run()
    ends_as_before(pipeline, execution, "AccessDenied")
    assert execution.output["error"]["Error"] == "AccessDenied"
    assert execution.output["failure"]["told"] is False
    assert pipeline.store.operations[OPERATION].status is Status.FAILED


def test_an_unexpected_error_is_typed_and_repeats_no_text(pipeline: Pipeline) -> None:
    def fail(_context: Context, _document: Mapping[str, Any]) -> dict[str, Any]:
        raise ValueError("could not log in with hunter2")

    pipeline.overrides["setup-db-users"] = fail
    execution = pipeline.run()
    ends_as_before(pipeline, execution, "UnexpectedError")
    assert "ValueError at test_faults.py:" in execution.cause
    assert "hunter2" not in str((execution, pipeline.store.events, pipeline.topic.messages))


@pytest.mark.parametrize("operation_id", ["", 7, {"a": 1}, "x" * 5000])
def test_a_malformed_operation_id_still_ends_in_a_typed_failure(pipeline: Pipeline, operation_id: Any) -> None:
    execution = pipeline.run({**REQUEST, "operation_id": operation_id})
    assert (execution.status, execution.error) == ("FAILED", "InvalidRequest")
    assert {event["operation_id"] for event in pipeline.store.events} == {OPERATION}

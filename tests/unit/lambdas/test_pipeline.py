"""The whole definition over the real steps: success, refusal, failure and undo, and death at every single call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aurora_restore.context import Context
from aurora_restore.errors import PostSwapFailure, VerificationFailed
from aurora_restore.store import Status
from tests.unit.lambdas.fake_rds import model_without
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline


@pytest.fixture
def pipeline() -> Pipeline:
    made = Pipeline()
    made.seed()
    return made


def refuse_verification(_context: Context, _document: Mapping[str, Any]) -> dict[str, Any]:
    raise VerificationFailed("shop.orders has 0 rows, at least 1 expected.")


def names(pipeline: Pipeline) -> tuple[dict[str, str], dict[str, str]]:
    return pipeline.rds.names(), pipeline.rds.names("instances")


def test_a_restore_swaps_the_names_and_keeps_the_old_cluster(pipeline: Pipeline) -> None:
    before, instances_before = names(pipeline)
    execution = pipeline.run()
    after, instances_after = names(pipeline)
    assert execution.status == "SUCCEEDED"
    assert after["orders-prod"] == before["orders-prod"]
    assert after[f"orders-staging-old-{OPERATION}"] == before["orders-staging"]
    assert set(after) == {"orders-prod", "orders-staging", f"orders-staging-old-{OPERATION}"}
    restored = pipeline.rds.clusters[after["orders-staging"]]
    assert {"Key": "aurora-restore:target", "Value": "true"} in restored["TagList"]
    assert {"Key": "team", "Value": "shop"} in restored["TagList"]
    assert not any(tag["Key"].startswith("aws:") for tag in restored["TagList"])
    for number, name in enumerate(("orders-staging-1", "orders-staging-2"), start=1):
        assert instances_after[name] not in instances_before.values()
        assert instances_after[f"orders-staging-old-{OPERATION}-{number}"] == instances_before[name]
    old = pipeline.rds.clusters[before["orders-staging"]]
    assert any(tag["Key"] == "aurora-restore:expires-at" for tag in old["TagList"])
    assert "prod-nightly" in pipeline.rds.snapshots
    assert pipeline.store.operations[OPERATION].status is Status.SUCCEEDED
    assert pipeline.store.holder("us-east-1#orders-staging") is None
    assert [subject for subject, _ in pipeline.topic.messages] == [
        "[test] Aurora restore started: orders-staging",
        "[test] Aurora restore succeeded: orders-staging",
    ]


def test_the_restore_call_leaves_nothing_to_defaults(pipeline: Pipeline) -> None:
    execution = pipeline.run()
    given = pipeline.rds.clusters[execution.output["restore"]["cluster_resource_id"]]["restored_with"]
    assert given["EngineVersion"] == "16.4"
    assert given["DBSubnetGroupName"] == "private"
    assert given["VpcSecurityGroupIds"] == ["sg-1"]
    assert given["DBClusterParameterGroupName"] == "shop-16"
    assert given["Port"] == 5432
    assert (given["BackupRetentionPeriod"], given["PreferredBackupWindow"]) == (7, "03:00-04:00")


def test_what_an_older_sdk_cannot_give_to_the_restore_is_set_after_it() -> None:
    """The SDK is that of Lambda's runtime: RestoreDBClusterFromSnapshot took these two early in 2026."""
    pipeline = Pipeline()
    pipeline.seed(BackupRetentionPeriod=3, PreferredBackupWindow="06:00-06:30")
    pipeline.rds.meta.service_model = model_without(
        "RestoreDBClusterFromSnapshotMessage", "BackupRetentionPeriod", "PreferredBackupWindow"
    )
    assert pipeline.run().status == "SUCCEEDED"
    target = pipeline.rds.clusters[pipeline.rds.names()["orders-staging"]]
    assert (target["BackupRetentionPeriod"], target["PreferredBackupWindow"]) == (3, "06:00-06:30")


def test_every_step_is_audited_once_from_start_to_end(pipeline: Pipeline) -> None:
    pipeline.run()
    assert pipeline.events("FAILED") == []
    assert len(pipeline.events("STARTED")) == len(set(pipeline.events("STARTED")))
    assert {"snapshot-check", "swap-clusters", "release-lock"} <= set(pipeline.events("SUCCEEDED"))
    assert pipeline.events("SUCCEEDED").count("swap-clusters") == 1


def test_deletion_protection_is_mirrored_after_the_swap() -> None:
    pipeline = Pipeline()
    pipeline.seed(DeletionProtection=True)
    assert pipeline.run().status == "SUCCEEDED"
    assert pipeline.rds.clusters[pipeline.rds.names()["orders-staging"]]["DeletionProtection"] is True


def test_a_dry_run_returns_the_plan_and_writes_nothing_but_the_audit(pipeline: Pipeline) -> None:
    execution = pipeline.run({**REQUEST, "dry_run": True})
    assert execution.visited[-1] == "PlanReady"
    assert execution.output["plan"]["restore"]["cluster_id"] == f"orders-staging-{OPERATION}"
    assert pipeline.rds.changes == []
    assert pipeline.store.operations == {}
    assert pipeline.topic.messages == []
    assert pipeline.events("SUCCEEDED") == ["snapshot-check"]


def test_an_earlier_success_tells_the_expected_duration(pipeline: Pipeline) -> None:
    first = pipeline.run()
    assert first.output["plan"]["expected_seconds"] is None
    pipeline.clock.advance(3600)
    second = pipeline.run({**REQUEST, "dry_run": True}, "second-operation")
    assert second.output["plan"]["expected_seconds"] == first.output["notified"]["seconds"]


def test_a_failed_verification_undoes_everything_and_ends_failed(pipeline: Pipeline) -> None:
    before = names(pipeline)
    pipeline.overrides["verify-restore"] = refuse_verification
    execution = pipeline.run()
    assert (execution.status, execution.error) == ("FAILED", "VerificationFailed")
    assert execution.cause.startswith("[AR405]")
    assert names(pipeline) == before
    assert pipeline.store.operations[OPERATION].status is Status.FAILED
    assert pipeline.store.holder("us-east-1#orders-staging") is None
    subject, text = pipeline.topic.messages[-1]
    assert subject == "[test] Aurora restore FAILED: orders-staging"
    assert "AR405" in text
    assert f"cluster orders-staging-{OPERATION} was removed" in text


def test_a_snapshot_that_is_missing_fails_without_a_plan() -> None:
    pipeline = Pipeline()
    pipeline.rds.add_cluster("orders-prod")
    pipeline.rds.add_cluster("orders-staging", tags={"aurora-restore:target": "true"})
    execution = pipeline.run()
    assert (execution.status, execution.error) == ("FAILED", "SnapshotNotFound")
    assert pipeline.rds.changes == []
    assert "AR108" in pipeline.topic.messages[-1][1]


def test_a_held_lock_is_refused_and_left_to_its_owner(pipeline: Pipeline) -> None:
    lease = pipeline.context.now() + 1000
    pipeline.store.acquire("us-east-1#orders-staging", "other-operation", lease, pipeline.context.now())
    execution = pipeline.run()
    assert (execution.status, execution.error) == ("FAILED", "LockHeld")
    held = pipeline.store.holder("us-east-1#orders-staging")
    assert held is not None
    assert held.owner == "other-operation"
    assert pipeline.rds.changes == []


def test_a_second_execution_under_the_same_operation_id_touches_nothing(pipeline: Pipeline) -> None:
    pipeline.run({**REQUEST, "operation_id": "shared-id"}, "first-execution")
    after_first = names(pipeline)
    changes = len(pipeline.rds.changes)
    # The old names are taken by the first run, so free them: only the operation's record stands in the way.
    kept = pipeline.rds.clusters[after_first[0].get("orders-staging-old-shared-id", "")]
    kept["DBClusterIdentifier"] = "elsewhere"
    for number, instance in enumerate(pipeline.rds.instances.values()):
        if instance["DBInstanceIdentifier"].startswith("orders-staging-old-"):
            instance["DBInstanceIdentifier"] = f"elsewhere-{number}"
    second = pipeline.run({**REQUEST, "operation_id": "shared-id"}, "second-execution")
    assert (second.status, second.error) == ("FAILED", "OperationExists")
    assert len(pipeline.rds.changes) == changes
    assert pipeline.store.operations["shared-id"].status is Status.SUCCEEDED


def test_a_failure_after_the_swap_keeps_the_target_and_says_so(pipeline: Pipeline) -> None:
    before = names(pipeline)[0]
    pipeline.rds.fail["add_tags_to_resource"] = ["AccessDenied"]
    execution = pipeline.run()
    after = names(pipeline)[0]
    assert (execution.status, execution.error) == ("FAILED", PostSwapFailure.__name__)
    assert after["orders-staging"] != before["orders-staging"]
    assert after[f"orders-staging-old-{OPERATION}"] == before["orders-staging"]
    assert "AR303" in execution.cause


def fail_after_rename(pipeline: Pipeline, number: int) -> None:
    """Once the rename of this number is on its way, the next look at the clusters is denied, and ends the swap."""

    def watch(_at: int, _what: str) -> str:
        if sum(change in ("modify_db_instance", "modify_db_cluster") for change in pipeline.rds.changes) == number:
            pipeline.rds.fail["describe_db_clusters"] = ["AccessDenied"]
        return ""

    pipeline.rds.kill = watch


@pytest.mark.parametrize("number", range(1, 7))
def test_a_swap_that_fails_half_way_is_turned_back(pipeline: Pipeline, number: int) -> None:
    before = names(pipeline)
    fail_after_rename(pipeline, number)
    execution = pipeline.run()
    assert (execution.status, execution.error) == ("FAILED", "AccessDenied")
    assert names(pipeline) == before
    assert pipeline.store.holder("us-east-1#orders-staging") is None


def test_a_swap_whose_names_are_all_in_place_is_not_turned_back(pipeline: Pipeline) -> None:
    before = names(pipeline)[0]
    pipeline.rds.delay = 0
    fail_after_rename(pipeline, 6)
    execution = pipeline.run()
    assert (execution.status, execution.error) == ("FAILED", PostSwapFailure.__name__)
    assert names(pipeline)[0][f"orders-staging-old-{OPERATION}"] == before["orders-staging"]


def _calls_of_a_restore() -> int:
    pipeline = Pipeline()
    pipeline.seed()
    pipeline.run()
    return len(pipeline.rds.changes)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, _calls_of_a_restore() + 1))
def test_death_at_any_call_is_survived_by_the_retry(number: int, moment: str) -> None:
    pipeline = Pipeline()
    pipeline.seed()
    before = names(pipeline)[0]
    died = []

    def kill(at: int, _what: str) -> str:
        if at == number and moment not in died:
            died.append(moment)
            return moment
        return ""

    pipeline.rds.kill = kill
    execution = pipeline.run()
    after = names(pipeline)[0]
    assert execution.status == "SUCCEEDED", execution.cause
    assert died == [moment]
    assert after[f"orders-staging-old-{OPERATION}"] == before["orders-staging"]
    assert len(after) == 3
    assert len(pipeline.rds.names("instances")) == 5


def test_a_copy_is_made_from_another_region_and_removed_again() -> None:
    pipeline = Pipeline()
    pipeline.rds.add_cluster("orders-staging", tags={"aurora-restore:target": "true"})
    pipeline.regions["eu-west-1"].add_snapshot("rds:prod-1", "orders-prod", kind="automated")
    execution = pipeline.run({**REQUEST, "source": {**REQUEST["source"], "region": "eu-west-1"}})
    assert execution.status == "SUCCEEDED", execution.cause
    assert {"CopySnapshot", "WaitForCopy", "CheckCopyStatus"} <= set(execution.visited)
    assert pipeline.rds.snapshots == {}
    assert "rds:prod-1" in pipeline.regions["eu-west-1"].snapshots


def test_a_copy_waits_for_one_of_the_five_slots() -> None:
    pipeline = Pipeline()
    pipeline.rds.add_cluster("orders-staging", tags={"aurora-restore:target": "true"})
    pipeline.regions["eu-west-1"].add_snapshot("prod-1", "orders-prod")
    for number in range(5):
        pipeline.rds.add_snapshot(f"busy-{number}", "elsewhere", Status="copying")
    original = pipeline.clock.advance

    def advance(seconds: float) -> None:
        original(seconds)
        pipeline.rds.snapshots["busy-0"]["Status"] = "available"

    pipeline.clock.advance = advance  # type: ignore[method-assign]
    execution = pipeline.run({**REQUEST, "source": {**REQUEST["source"], "region": "eu-west-1"}})
    assert execution.status == "SUCCEEDED", execution.cause
    assert "WaitForCopySlot" in execution.visited


def test_a_restore_that_never_ends_times_out_in_time_for_the_undo() -> None:
    pipeline = Pipeline()
    pipeline.seed()
    start = pipeline.context.now()
    before = names(pipeline)
    pipeline.rds.delay = 6200
    execution = pipeline.run()
    assert execution.error == "WaitTimedOut"
    assert pipeline.context.now() - start <= 7200
    assert "LEFT BEHIND" in pipeline.topic.messages[-1][1]
    pipeline.clock.advance(10_000)
    assert before[0].items() <= names(pipeline)[0].items()

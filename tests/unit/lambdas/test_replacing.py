"""The strategy `replace`: the target goes first, and comes back from its final snapshot if anything fails then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from aurora_restore.context import Context
from aurora_restore.errors import VerificationFailed
from aurora_restore.steps import remove_target
from aurora_restore.store import Status
from tests.unit.lambdas.machine import Execution, Stopped, execution_arn
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline

REPLACE = {**REQUEST, "strategy": "replace"}
FAR = {**REPLACE, "source": {**REQUEST["source"], "region": "eu-west-1"}}
NEW, FINAL, COPY = (f"orders-staging{middle}-{OPERATION}" for middle in ("", "-final", "-copy"))
LOCK = "us-east-1#orders-staging"
TARGET = {
    "DeletionProtection": True,
    "KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/staging",
    "StorageEncrypted": True,
    "MasterUserSecret": {"SecretArn": "arn:old", "SecretStatus": "active", "KmsKeyId": "arn:aws:kms:::key/s"},
}
BOTH = {"orders-prod", "orders-staging"}
INSTANCES = {"orders-prod-1", "orders-staging-1", "orders-staging-2"}


def made() -> Pipeline:
    pipeline = Pipeline()
    pipeline.seed(**TARGET)
    for instance in pipeline.rds.instances.values():
        instance["TagList"] = [{"Key": "team", "Value": "shop"}]
    pipeline.regions["eu-west-1"].add_snapshot("far", "orders-prod")
    return pipeline


@pytest.fixture
def pipeline() -> Pipeline:
    return made()


def refuse(_context: Any, _document: Any) -> dict[str, Any]:
    raise VerificationFailed("shop.orders has 0 rows, at least 1 expected.")


def stop(_context: Any, _document: Any) -> dict[str, Any]:
    raise Stopped


def target(pipeline: Pipeline) -> dict[str, Any]:
    return pipeline.rds.clusters[pipeline.rds.names()["orders-staging"]]


def tags(thing: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in thing["TagList"]}


def once(moment: Callable[[int, str], bool], act: Callable[[], Any]) -> Callable[[int, str], str]:
    """A hook for FakeRds.kill that acts once, before the first change of which `moment` holds."""
    done: list[int] = []

    def watch(number: int, what: str) -> str:
        if not done and moment(number, what):
            done.append(number)
            return act() or ""
        return ""

    return watch


def is_back(pipeline: Pipeline, original: str) -> None:
    """The target is as it was: itself, or from its final snapshot, with its settings; nothing else is left."""
    pipeline.clock.advance(600)
    assert set(pipeline.rds.names()) == BOTH
    assert set(pipeline.rds.names("instances")) == INSTANCES
    found = target(pipeline)
    assert found["Status"] == "available"
    assert found["DeletionProtection"] is True
    assert found["MasterUserSecret"]["KmsKeyId"] == "arn:aws:kms:::key/s"
    assert tags(found)["aurora-restore:target"] == "true"
    assert tags(found)["team"] == "shop"
    assert "aurora-restore:operation" not in tags(found)
    for number, wanted in ((1, "db.r6g.large"), (2, "db.r6g.xlarge")):
        instance = pipeline.rds.instances[pipeline.rds.names("instances")[f"orders-staging-{number}"]]
        assert (instance["DBInstanceStatus"], instance["DBInstanceClass"]) == ("available", wanted)
        assert tags(instance)["team"] == "shop"
        assert "aurora-restore:replaced-by" not in tags(instance)
    kept = set(pipeline.rds.snapshots) - {"prod-nightly"}
    if found["DbClusterResourceId"] != original:
        given = found["restored_with"]
        assert (given["SnapshotIdentifier"], given["KmsKeyId"]) == (FINAL, TARGET["KmsKeyId"])
        assert tags(found)["aurora-restore:restored-by"] == OPERATION
        assert kept == {FINAL}
    assert kept <= {FINAL}
    if kept:
        assert tags(pipeline.rds.snapshots[FINAL])["aurora-restore:replaced-by"] == OPERATION
    assert pipeline.store.operations[OPERATION].status is Status.FAILED
    assert pipeline.store.holder(LOCK) is None


def never_without_its_data(pipeline: Pipeline, original: str) -> None:
    """The original target stands, or a whole final snapshot of it does that no undo may delete."""
    if original not in pipeline.rds.clusters or pipeline.rds.clusters[original]["Status"] == "deleting":
        snapshot = pipeline.rds.snapshots[FINAL]
        assert (snapshot["Status"], snapshot["DbClusterResourceId"]) == ("available", original)
        assert "aurora-restore:operation" not in tags(snapshot)


# --- success ---


def test_the_target_is_removed_and_its_successor_bears_its_names(pipeline: Pipeline) -> None:
    original = pipeline.rds.names()["orders-staging"]
    execution = pipeline.run(REPLACE)
    assert execution.status == "SUCCEEDED", execution.cause
    assert set(pipeline.rds.names()) == BOTH
    assert set(pipeline.rds.names("instances")) == INSTANCES
    assert target(pipeline)["restored_with"]["SnapshotIdentifier"] == "prod-nightly"
    assert target(pipeline)["DeletionProtection"] is True
    assert original not in pipeline.rds.clusters
    snapshot = pipeline.rds.snapshots[FINAL]
    assert (snapshot["DbClusterResourceId"], snapshot["Status"]) == (original, "available")
    assert tags(snapshot) == {"aurora-restore:replaced-by": OPERATION}
    assert execution.output["archive"]["final_snapshot"] == FINAL
    assert pipeline.store.holder(LOCK) is None


def test_the_target_goes_only_when_its_snapshot_is_whole_and_readers_go_first(pipeline: Pipeline) -> None:
    seen: list[str] = []

    def watch(_number: int, what: str) -> str:
        if what.startswith("delete_"):
            seen.append(pipeline.rds.snapshots[FINAL]["Status"])
        return ""

    pipeline.rds.kill = watch
    pipeline.run(REPLACE)
    assert set(seen) == {"available"}
    gone = [what for what in pipeline.rds.made if what.startswith("delete_")]
    assert gone == [
        "delete_db_instance ['orders-staging-2']",
        "delete_db_instance ['orders-staging-1']",
        "delete_db_cluster ['orders-staging']",
    ]


def test_copies_are_made_before_the_target_is_touched(pipeline: Pipeline) -> None:
    visited = pipeline.run(FAR).visited
    assert visited.index("CheckCopyStatus") < visited.index("RemoveTarget") < visited.index("RestoreSnapshot")
    assert set(pipeline.rds.snapshots) == {"prod-nightly", FINAL}


def test_start_and_end_say_plainly_what_becomes_of_the_target(pipeline: Pipeline) -> None:
    pipeline.run(REPLACE)
    (_, started), (_, succeeded) = pipeline.topic.messages
    assert f"orders-staging is REMOVED before the restored cluster is proven, after a final snapshot {FINAL}" in started
    assert "Clients have no database meanwhile" in started
    assert f"snapshot {FINAL} holds its data" in succeeded
    ends = [event for event in pipeline.store.events if event["status"] == "SUCCEEDED"]
    (ended,) = [event for event in ends if event["step"] == "remove-target"]
    assert ended["details"] == {"removed": "orders-staging", "final_snapshot": FINAL}


def test_a_target_can_be_replaced_again_and_again(pipeline: Pipeline) -> None:
    assert pipeline.run(REPLACE).status == "SUCCEEDED"
    assert pipeline.run(REPLACE, "second-operation").status == "SUCCEEDED"
    assert set(pipeline.rds.snapshots) == {"prod-nightly", FINAL, "orders-staging-final-second-operation"}


def test_a_rollback_is_refused_and_names_the_snapshot_which_can_be_restored(pipeline: Pipeline) -> None:
    pipeline.run(REPLACE)
    request = {"action": "rollback", "rolls_back": OPERATION, "target": {"cluster": "orders-staging"}}
    refused = pipeline.run(request, "rollback-one")
    assert refused.error == "RollbackImpossible"
    assert f"-e source_snapshot={FINAL}" in refused.cause
    source = {"type": "snapshot", "snapshot": FINAL}
    again = pipeline.run({**REQUEST, "source": source}, "second-operation")
    assert again.status == "SUCCEEDED", again.cause
    assert target(pipeline)["restored_with"]["SnapshotIdentifier"] == FINAL


# --- the plan ---


def plan(pipeline: Pipeline) -> dict[str, Any]:
    found: dict[str, Any] = pipeline.run({**REPLACE, "dry_run": True}, "dry-run-one").output["plan"]
    return found


def test_quotas_are_counted_without_a_second_cluster(pipeline: Pipeline) -> None:
    pipeline.offers.quotas = {"DBClusters": [40, 40], "DBInstances": [40, 40], "ManualClusterSnapshots": [1, 100]}
    checks = {item["name"]: item["detail"] for item in plan(pipeline)["preflight"]}
    assert checks["quotas"] == "ManualClusterSnapshots: 1 of 100 used, 1 needed"
    assert checks["way back"] == "the target can be made again from orders-staging-final-dry-run-one"


def test_what_the_target_would_lose_is_told(pipeline: Pipeline) -> None:
    target(pipeline).update(AssociatedRoles=[{"RoleArn": "arn:role"}], CustomEndpoints=["reports"], BacktrackWindow=0)
    (way_back,) = [item for item in plan(pipeline)["preflight"] if item["name"] == "way back"]
    assert way_back["result"] == "warning"
    assert way_back["detail"].endswith(", but not its associated IAM roles, its custom endpoints")


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda p: p.offers.quotas.update(ManualClusterSnapshots=[100, 100]), "QuotaExceeded"),
        (lambda p: p.rds.add_snapshot(FINAL, "orders-staging"), "NameTaken"),
        (lambda p: p.keys.states.update({TARGET["KmsKeyId"]: "Disabled"}), "KmsKeyUnavailable"),
    ],
)
def test_what_would_bar_the_way_back_is_told_before_anything_is_changed(
    pipeline: Pipeline, spoil: Callable[[Pipeline], Any], error: str
) -> None:
    spoil(pipeline)
    execution = pipeline.run(REPLACE)
    assert (execution.status, execution.error) == ("FAILED", error)
    assert pipeline.rds.changes == []


def test_the_time_for_the_way_back_is_reserved(pipeline: Pipeline) -> None:
    swap = pipeline.run({**REQUEST, "dry_run": True}, "dry-run-two").output["plan"]["deadline"]
    assert swap - plan(pipeline)["deadline"] == 1800
    durations = {"total": 3000, "restore": 600, "instances": 200}
    pipeline.store.remember(LOCK, "earlier", durations)
    assert swap - plan(pipeline)["deadline"] == 1200


# --- failure ---


def test_a_failure_after_the_removal_brings_the_target_back(pipeline: Pipeline) -> None:
    original = pipeline.rds.names()["orders-staging"]
    pipeline.overrides["verify-restore"] = refuse
    execution = pipeline.run(FAR)
    assert (execution.status, execution.error) == ("FAILED", "VerificationFailed")
    assert original not in pipeline.rds.clusters
    is_back(pipeline, original)
    undone = pipeline.topic.messages[-1][1]
    assert f"cluster {NEW} was removed" in undone
    assert f"cluster orders-staging was brought back from its final snapshot {FINAL}" in undone
    assert "what was written after that is lost" in undone
    assert "a new secret" in undone
    (ended,) = [event for event in pipeline.store.events if event["step"] == "handle-failure" and event["details"]]
    assert any("was brought back" in line for line in ended["details"]["undone"])


def test_what_was_brought_back_has_the_settings_of_the_target(pipeline: Pipeline) -> None:
    pipeline.overrides["verify-restore"] = refuse
    request = {**REPLACE, "cluster": {"port": 5433, "deletion_protection": False}, "instances": {"count": 1}}
    original = pipeline.rds.names()["orders-staging"]
    pipeline.run(request)
    is_back(pipeline, original)
    given = target(pipeline)["restored_with"]
    assert (given["Port"], given["DBClusterParameterGroupName"], given["EngineVersion"]) == (5432, "shop-16", "16.4")


def test_what_was_brought_back_has_what_no_restore_takes(pipeline: Pipeline) -> None:
    target(pipeline).update(HttpEndpointEnabled=True, LocalWriteForwardingStatus="enabled")
    pipeline.overrides["verify-restore"] = refuse
    original = pipeline.rds.names()["orders-staging"]
    pipeline.run({**REPLACE, "cluster": {"http_endpoint": False, "local_write_forwarding": False}})
    is_back(pipeline, original)
    assert (target(pipeline)["HttpEndpointEnabled"], target(pipeline)["EnableLocalWriteForwarding"]) == (True, True)


def calls(request: Mapping[str, Any], **overrides: Any) -> tuple[list[str], int]:
    """The changes of an undisturbed execution."""
    pipeline = made()
    pipeline.overrides |= overrides
    pipeline.run(request)
    return pipeline.rds.made, len(pipeline.rds.changes)


FORWARD, FORWARD_CALLS = calls(FAR)
FAILING_CALLS = calls(FAR, **{"verify-restore": refuse})[1]
around = pytest.mark.parametrize("moment", ["before", "after"])


def kill_at(pipeline: Pipeline, number: int, moment: str) -> list[str]:
    died: list[str] = []

    def kill(at: int, _what: str) -> str:
        if at == number and not died:
            died.append(moment)
            return moment
        return ""

    pipeline.rds.kill = kill
    return died


@around
@pytest.mark.parametrize("number", range(1, FORWARD_CALLS + 1))
def test_death_at_any_call_is_survived_by_the_retry(pipeline: Pipeline, number: int, moment: str) -> None:
    died = kill_at(pipeline, number, moment)
    execution = pipeline.run(FAR)
    assert died
    assert execution.status == "SUCCEEDED", execution.cause
    assert set(pipeline.rds.names()) == BOTH
    assert set(pipeline.rds.names("instances")) == INSTANCES
    assert tags(pipeline.rds.snapshots[FINAL]) == {"aurora-restore:replaced-by": OPERATION}


@around
@pytest.mark.parametrize("number", range(1, FAILING_CALLS + 1))
def test_death_at_any_call_of_the_undo_is_survived_by_the_retry(pipeline: Pipeline, number: int, moment: str) -> None:
    original = pipeline.rds.names()["orders-staging"]
    pipeline.overrides["verify-restore"] = refuse
    died = kill_at(pipeline, number, moment)
    execution = pipeline.run(FAR)
    assert died
    assert (execution.status, execution.error) == ("FAILED", "VerificationFailed")
    is_back(pipeline, original)


@pytest.mark.parametrize("number", range(1, FORWARD_CALLS + 1))
def test_a_refusal_at_any_call_ends_with_the_target_or_its_successor(pipeline: Pipeline, number: int) -> None:
    original = pipeline.rds.names()["orders-staging"]

    def watch(at: int, what: str) -> str:
        never_without_its_data(pipeline, original)
        if at == number:
            pipeline.rds.fail[what] = ["AccessDenied"]  # the next call of this kind
        return ""

    pipeline.rds.kill = watch
    execution = pipeline.run(FAR)
    never_without_its_data(pipeline, original)
    if execution.status == "SUCCEEDED" or execution.error == "PostSwapFailure":
        assert target(pipeline)["restored_with"]["SnapshotIdentifier"] == COPY
    elif execution.error != "CleanupFailed":
        is_back(pipeline, original)
    else:  # an undo that was denied before the target was touched
        assert original in pipeline.rds.clusters


# --- executions that AWS ends ---


def clean_up(pipeline: Pipeline, name: str = "one-cleanup-1") -> Execution:
    return pipeline.run({"action": "clean_up", "operation_id": OPERATION}, name)


def resume(pipeline: Pipeline) -> Execution:
    return pipeline.run({"action": "resume", "operation_id": OPERATION}, "one-resume-1")


def stop_at(pipeline: Pipeline, number: int, moment: str) -> None:
    asked: list[int] = []

    def watch(at: int, _what: str) -> str:
        asked.extend([at] if at == number else [])
        if at == number and len(asked) == (1 if moment == "before" else 2):
            raise Stopped
        return ""

    pipeline.rds.kill = watch


@around
@pytest.mark.parametrize("number", range(1, FORWARD_CALLS + 1))
def test_a_resumed_operation_does_nothing_twice(pipeline: Pipeline, number: int, moment: str) -> None:
    stop_at(pipeline, number, moment)
    assert pipeline.run(FAR).status == "ABORTED"
    pipeline.clock.advance(60)
    execution = resume(pipeline)
    assert execution.status == "SUCCEEDED", execution.cause
    assert Counter(pipeline.rds.made) == Counter(FORWARD)


@around
@pytest.mark.parametrize("number", range(1, FORWARD_CALLS + 1))
def test_a_clean_up_brings_the_target_back_from_anywhere(pipeline: Pipeline, number: int, moment: str) -> None:
    original = pipeline.rds.names()["orders-staging"]
    stop_at(pipeline, number, moment)
    pipeline.run(FAR)
    execution = clean_up(pipeline)
    assert (execution.status, execution.visited[-1]) == ("SUCCEEDED", "CleanedUp"), execution.cause
    restored = target(pipeline).get("restored_with", {}).get("SnapshotIdentifier")
    if restored == COPY:  # all names were in place: the target keeps the verified data
        assert FINAL in pipeline.rds.snapshots
    else:
        is_back(pipeline, original)


@around
@pytest.mark.parametrize("number", range(1, FAILING_CALLS - FORWARD_CALLS + 12))
def test_a_clean_up_that_is_stopped_is_finished_by_the_next(pipeline: Pipeline, number: int, moment: str) -> None:
    original = pipeline.rds.names()["orders-staging"]
    pipeline.overrides["verify-restore"] = stop
    pipeline.run(FAR)
    stop_at(pipeline, len(pipeline.rds.changes) + number, moment)
    clean_up(pipeline)
    clean_up(pipeline, "one-cleanup-2")
    is_back(pipeline, original)


def test_a_plan_from_before_there_was_this_strategy_is_resumed(pipeline: Pipeline) -> None:
    pipeline.overrides["copy-snapshot"] = stop
    pipeline.run({**FAR, "strategy": "swap"})
    del pipeline.overrides["copy-snapshot"]
    del pipeline.store.operations[OPERATION].state["operation"]["plan"]["replace"]
    execution = resume(pipeline)
    assert execution.status == "SUCCEEDED", execution.cause
    assert "RemoveTarget" not in execution.visited


def test_a_failed_operation_starts_over_only_under_another_id(pipeline: Pipeline) -> None:
    """Its final snapshot is kept, and is older than the target is by now."""
    original = pipeline.rds.names()["orders-staging"]
    pipeline.overrides["verify-restore"] = refuse
    pipeline.run(REPLACE)
    del pipeline.overrides["verify-restore"]
    execution = resume(pipeline)
    assert execution.error == "NotResumable"
    assert f"{FINAL} is kept" in execution.cause
    is_back(pipeline, original)
    assert pipeline.run(REPLACE, "second-operation").status == "SUCCEEDED"


# --- a target that does not come back by itself ---


def test_what_aws_refuses_is_tried_again_and_told_once(pipeline: Pipeline) -> None:
    original = pipeline.rds.names()["orders-staging"]
    pipeline.overrides["verify-restore"] = refuse
    pipeline.rds.kill = once(
        lambda _number, what: what == "delete_db_cluster" and original not in pipeline.rds.clusters,
        lambda: pipeline.rds.fail.update(create_db_instance=["InsufficientDBInstanceCapacity"] * 3),
    )
    execution = pipeline.run(REPLACE)
    assert (execution.status, execution.error) == ("FAILED", "VerificationFailed")
    is_back(pipeline, original)
    (away,) = [text for subject, text in pipeline.topic.messages if "AWAY" in subject]
    assert f"Its data are in snapshot {FINAL}" in away
    assert "InsufficientDBInstanceCapacity" in away
    assert "VerificationFailed [AR405]" in away


def test_where_the_time_is_over_the_next_clean_up_goes_on(pipeline: Pipeline) -> None:
    original = pipeline.rds.names()["orders-staging"]
    pipeline.overrides["verify-restore"] = refuse
    pipeline.rds.kill = once(
        lambda _number, what: what == "delete_db_cluster" and original not in pipeline.rds.clusters,
        lambda: pipeline.rds.fail.update(create_db_instance=["InsufficientDBInstanceCapacity"] * 500),
    )
    start = pipeline.context.now()
    execution = pipeline.run(REPLACE)
    assert (execution.status, execution.error) == ("FAILED", "CleanupFailed")
    assert FINAL in execution.cause
    assert pipeline.context.now() - start <= 7200
    assert pipeline.store.operations[OPERATION].status is Status.RUNNING
    held = pipeline.store.holder(LOCK)
    assert held is not None
    assert held.lease_until > pipeline.context.now()
    pipeline.rds.fail.clear()
    (name,) = pipeline.sweep()["started"]
    assert clean_up(pipeline, name).visited[-1] == "CleanedUp"
    is_back(pipeline, original)


def test_an_operation_that_left_its_target_standing_starts_over(pipeline: Pipeline) -> None:
    original = pipeline.rds.names()["orders-staging"]
    pipeline.rds.fail["delete_db_instance"] = ["AccessDenied"]
    assert pipeline.run(REPLACE).error == "AccessDenied"
    is_back(pipeline, original)
    assert FINAL not in pipeline.rds.snapshots
    execution = resume(pipeline)
    assert execution.status == "SUCCEEDED", execution.cause


def test_a_name_that_somebody_took_is_told_and_waited_for(pipeline: Pipeline) -> None:
    pipeline.overrides["verify-restore"] = refuse
    original = pipeline.rds.names()["orders-staging"]
    pipeline.rds.kill = once(
        lambda _number, what: what == "delete_db_cluster" and original not in pipeline.rds.clusters,
        lambda: pipeline.rds.add_cluster("orders-staging", classes=()) and "",
    )
    execution = pipeline.run(REPLACE)
    assert execution.error == "CleanupFailed"
    assert "another cluster holds the name orders-staging" in execution.cause
    assert tags(pipeline.rds.snapshots[FINAL]) == {"aurora-restore:replaced-by": OPERATION}


# --- others at work ---


def after_the_snapshot(pipeline: Pipeline, act: Callable[[], Any]) -> None:
    """Act while the final snapshot is being made, and the target still stands as it was."""

    def watch(_number: int, what: str) -> str:
        if what == "create_db_cluster_snapshot" and FINAL in pipeline.rds.snapshots:
            act()
        return ""

    pipeline.rds.kill = watch


def untouched(pipeline: Pipeline, execution: Execution, error: str, original: str) -> None:
    assert (execution.status, execution.error) == ("FAILED", error), execution.cause
    assert pipeline.rds.names()["orders-staging"] == original
    assert not any(what.startswith(("delete_db_instance", "delete_db_cluster [")) for what in pipeline.rds.made)


def test_an_opt_in_that_is_withdrawn_meanwhile_is_respected(pipeline: Pipeline) -> None:
    original = pipeline.rds.names()["orders-staging"]
    after_the_snapshot(pipeline, lambda: target(pipeline).update(TagList=[]))
    untouched(pipeline, pipeline.run(REPLACE), "TargetNotAllowed", original)
    assert FINAL not in pipeline.rds.snapshots


def test_a_target_under_maintenance_is_waited_for(pipeline: Pipeline) -> None:
    statuses = ["maintenance", "maintenance", "available"]

    def under_maintenance(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
        if statuses:
            target(pipeline)["Status"] = statuses.pop(0)
        return remove_target.run(context, document)

    pipeline.overrides["remove-target"] = under_maintenance
    execution = pipeline.run(REPLACE)
    assert execution.status == "SUCCEEDED", execution.cause
    assert statuses == []


def test_a_source_that_vanishes_meanwhile_keeps_the_target(pipeline: Pipeline) -> None:
    original = pipeline.rds.names()["orders-staging"]
    after_the_snapshot(pipeline, lambda: pipeline.rds.snapshots.pop("prod-nightly", None))
    untouched(pipeline, pipeline.run(REPLACE), "SourceVanished", original)


@pytest.mark.parametrize("change", [{"Status": "failed"}, {"DbClusterResourceId": "cluster-other"}, {"TagList": []}])
def test_a_final_snapshot_that_is_not_whole_keeps_the_target(pipeline: Pipeline, change: dict[str, Any]) -> None:
    original = pipeline.rds.names()["orders-staging"]

    def spoil() -> None:
        pipeline.rds.cancel_changes()
        target(pipeline)["Status"] = "available"
        pipeline.rds.snapshots[FINAL].update(change)

    after_the_snapshot(pipeline, spoil)
    untouched(pipeline, pipeline.run(REPLACE), "FinalSnapshotFailed", original)


def test_another_target_of_that_name_is_left_alone(pipeline: Pipeline) -> None:
    def exchange() -> None:
        target(pipeline)["DBClusterIdentifier"] = "elsewhere"
        pipeline.rds.add_cluster("orders-staging", tags={"aurora-restore:target": "true"}, classes=())

    after_the_snapshot(pipeline, exchange)
    execution = pipeline.run(REPLACE)
    assert (execution.status, execution.error) == ("FAILED", "TargetNotFound")
    assert {"elsewhere", "orders-staging"} <= set(pipeline.rds.names())


def test_a_target_that_somebody_removes_keeps_its_final_snapshot(pipeline: Pipeline) -> None:
    original = pipeline.rds.names()["orders-staging"]
    after_the_snapshot(pipeline, lambda: pipeline.rds.clusters.pop(original))
    execution = pipeline.run(REPLACE)
    assert (execution.status, execution.error) == ("FAILED", "TargetNotFound")
    assert FINAL in pipeline.rds.snapshots
    assert f"{FINAL} is kept" in pipeline.topic.messages[-1][1]


def test_an_execution_that_aws_has_forgotten_is_cleaned_up_all_the_same(pipeline: Pipeline) -> None:
    original = pipeline.rds.names()["orders-staging"]
    pipeline.overrides["verify-restore"] = stop
    pipeline.run(REPLACE)
    del pipeline.step_functions.executions[execution_arn(OPERATION)]
    assert clean_up(pipeline).visited[-1] == "CleanedUp"
    is_back(pipeline, original)

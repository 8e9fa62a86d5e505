"""Whole executions from every kind of source: success, failure, death at every single call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from aurora_restore.context import Context
from aurora_restore.errors import VerificationFailed
from tests.unit.lambdas.fake_rds import ACCOUNT, FakeRds
from tests.unit.lambdas.machine import Execution
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline

OTHER, FAR = "999999999999", "eu-west-1"
COPY, ON_THE_WAY = f"orders-staging-copy-{OPERATION}", f"orders-staging-hop-{OPERATION}"
NEW = f"orders-staging-{OPERATION}"
SOURCES: dict[str, dict[str, Any]] = {
    "snapshot": {"type": "snapshot", "snapshot": "prod-nightly"},
    "date": {"type": "snapshot_of_date", "cluster": "orders-prod", "date": "2026-11-23"},
    "time": {"type": "point_in_time", "cluster": "orders-prod", "time": "2026-11-23T05:30:00Z"},
    "latest": {"type": "latest_restorable_time", "cluster": "orders-prod"},
    "clone": {"type": "clone", "cluster": "orders-prod"},
    "region": {"type": "latest_snapshot", "cluster": "orders-prod", "region": FAR},
    "shared": {"type": "latest_snapshot", "cluster": "orders-prod", "account": OTHER},
    "two hops": {"type": "latest_snapshot", "cluster": "orders-prod", "account": OTHER, "region": FAR},
}


def seeded() -> Pipeline:
    """A source of each kind; everything that can be encrypted is."""
    pipeline = Pipeline()
    pipeline.seed(StorageEncrypted=True, KmsKeyId=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/staging")
    source = pipeline.rds.clusters[pipeline.rds.names()["orders-prod"]]
    source.update(StorageEncrypted=True, KmsKeyId=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/prod")
    far = {"StorageEncrypted": True, "KmsKeyId": f"arn:aws:kms:{FAR}:{ACCOUNT}:key/far"}
    pipeline.regions[FAR].add_snapshot("far", "orders-prod", **far)
    for region, rds in pipeline.regions.items():
        key = f"arn:aws:kms:{region}:{OTHER}:key/theirs"
        rds.share_snapshot("theirs", "orders-prod", OTHER, StorageEncrypted=True, KmsKeyId=key)
    return pipeline


def run(pipeline: Pipeline, kind: str, **request: Any) -> Execution:
    return pipeline.run({**REQUEST, "source": SOURCES[kind], **request})


def all_changes(pipeline: Pipeline) -> int:
    return sum(len(rds.changes) for rds in pipeline.regions.values())


def restored_with(execution: Execution, pipeline: Pipeline) -> dict[str, Any]:
    found: dict[str, Any] = pipeline.rds.clusters[execution.output["restore"]["cluster_resource_id"]]["restored_with"]
    return found


def nothing_is_left(pipeline: Pipeline) -> None:
    assert set(pipeline.rds.names()) == {"orders-prod", "orders-staging"}
    assert set(pipeline.rds.snapshots) == {"prod-nightly"}
    assert set(pipeline.regions[FAR].snapshots) == {"far"}
    assert pipeline.store.holder("us-east-1#orders-staging") is None


@pytest.mark.parametrize("kind", SOURCES)
def test_a_restore_from_every_kind_of_source_succeeds_and_leaves_no_copy(kind: str) -> None:
    pipeline = seeded()
    execution = run(pipeline, kind)
    assert execution.status == "SUCCEEDED", execution.cause
    assert set(pipeline.rds.snapshots) == {"prod-nightly"}
    assert set(pipeline.regions[FAR].snapshots) == {"far"}
    assert all(rds.shared for rds in pipeline.regions.values())
    assert all(execution.output["plan"]["source"]["text"] in text for _, text in pipeline.topic.messages)


def test_a_point_in_time_names_the_time_and_not_the_latest() -> None:
    pipeline = seeded()
    given = restored_with(run(pipeline, "time"), pipeline)
    assert given["RestoreToTime"].isoformat() == "2026-11-23T05:30:00+00:00"
    assert given["RestoreType"] == "full-copy"
    assert {"UseLatestRestorableTime", "Engine", "EngineVersion", "SnapshotIdentifier"}.isdisjoint(given)


@pytest.mark.parametrize(("kind", "restore_type"), [("latest", "full-copy"), ("clone", "copy-on-write")])
def test_the_latest_time_and_a_clone_name_no_time(kind: str, restore_type: str) -> None:
    pipeline = seeded()
    given = restored_with(run(pipeline, kind), pipeline)
    assert (given["RestoreType"], given["UseLatestRestorableTime"]) == (restore_type, True)
    assert "RestoreToTime" not in given
    assert (given["DBSubnetGroupName"], given["KmsKeyId"]) == (
        "private",
        f"arn:aws:kms:us-east-1:{ACCOUNT}:key/staging",
    )


def test_two_hops_are_made_one_after_the_other_each_in_its_region() -> None:
    pipeline = seeded()
    execution = run(pipeline, "two hops")
    assert execution.visited.count("CopySnapshot") == 2
    assert pipeline.regions[FAR].changes == ["copy_db_cluster_snapshot", "delete_db_cluster_snapshot"]
    assert pipeline.rds.changes[0] == "copy_db_cluster_snapshot"
    copy = execution.output["copy"]
    assert (copy["hop"], copy["hops"], copy["done"]) == (2, 2, True)
    assert copy["seconds"] >= 120  # both hops, of which each takes 60
    assert pipeline.events("SUCCEEDED").count("check-copy-status") == 1


def test_only_the_last_copy_is_kept_on_request() -> None:
    pipeline = seeded()
    execution = run(pipeline, "two hops", retention={"keep_old_hours": 1, "keep_copy": True})
    assert execution.output["archive"] | {"copy": "kept", "snapshot_id": COPY} == execution.output["archive"]
    assert set(pipeline.rds.snapshots) == {"prod-nightly", COPY}
    assert set(pipeline.regions[FAR].snapshots) == {"far"}


def test_a_failure_removes_the_copies_of_every_region() -> None:
    def refuse(_context: Context, _document: Mapping[str, Any]) -> dict[str, Any]:
        raise VerificationFailed("no rows.")

    pipeline = seeded()
    pipeline.overrides["verify-restore"] = refuse
    execution = run(pipeline, "two hops")
    assert execution.error == "VerificationFailed"
    nothing_is_left(pipeline)
    assert f"snapshot copy {ON_THE_WAY} in {FAR} was removed" in execution.output["failure"]["undone"]
    assert f"snapshot copy {COPY} was removed" in execution.output["failure"]["undone"]


def test_somebody_elses_snapshot_under_the_name_of_a_hop_is_left_alone() -> None:
    pipeline = seeded()
    pipeline.regions[FAR].add_snapshot(ON_THE_WAY, "customers-prod")
    assert run(pipeline, "two hops").error == "NameTaken"
    assert set(pipeline.regions[FAR].snapshots) == {"far", ON_THE_WAY}
    assert pipeline.rds.changes == []


def test_every_region_has_its_own_five_slots() -> None:
    pipeline = seeded()
    for number in range(5):
        pipeline.regions[FAR].add_snapshot(f"busy-{number}", "elsewhere", Status="copying")
    original = pipeline.clock.advance

    def advance(seconds: float) -> None:
        original(seconds)
        pipeline.regions[FAR].snapshots["busy-0"]["Status"] = "available"

    pipeline.clock.advance = advance  # type: ignore[method-assign]
    execution = run(pipeline, "two hops")
    assert execution.status == "SUCCEEDED", execution.cause
    assert execution.visited.count("WaitForCopySlot") == 1


def after(pipeline: Pipeline, region: str, operation: str, react: Callable[[FakeRds], object]) -> None:
    """Run `react` once, after the first call of `operation` in the region."""
    calls: list[str] = []

    def watch(_number: int, what: str) -> str:
        if what == operation:
            calls.append(what)
            if len(calls) == 2:  # asked before and after each call
                react(pipeline.regions[region])
        return ""

    pipeline.regions[region].kill = watch


def test_a_shared_snapshot_that_vanishes_before_its_copy_ends_the_restore() -> None:
    pipeline = seeded()
    pipeline.overrides["notify-start"] = lambda _context, _document: pipeline.regions[FAR].shared.clear() or {}
    execution = run(pipeline, "two hops")
    assert (execution.error, execution.visited[-1]) == ("SourceVanished", "RestoreFailed")
    nothing_is_left(pipeline)


def test_a_hop_that_vanishes_ends_the_restore_and_leaves_nothing() -> None:
    pipeline = seeded()
    after(pipeline, FAR, "copy_db_cluster_snapshot", lambda rds: rds.snapshots.pop(ON_THE_WAY))
    assert run(pipeline, "two hops").error == "CopyFailed"
    nothing_is_left(pipeline)


def test_a_snapshot_that_vanishes_before_its_restore_ends_the_restore() -> None:
    pipeline = seeded()
    pipeline.overrides["notify-start"] = lambda _context, _document: pipeline.rds.snapshots.clear() or {}
    assert run(pipeline, "snapshot").error == "SourceVanished"


@pytest.mark.parametrize("kind", ["time", "latest", "clone"])
@pytest.mark.parametrize("replaced", [True, False])
def test_a_source_cluster_that_is_gone_or_replaced_in_mid_run_ends_the_restore(kind: str, replaced: bool) -> None:
    pipeline = seeded()

    def vanish(_context: Context, _document: Mapping[str, Any]) -> dict[str, Any]:
        pipeline.rds.clusters.pop(pipeline.rds.names()["orders-prod"])
        if replaced:
            pipeline.rds.add_cluster("orders-prod", StorageEncrypted=True)
        return {}

    pipeline.overrides["notify-start"] = vanish
    assert run(pipeline, kind).error == "SourceVanished"
    assert pipeline.rds.changes == []


def test_a_key_that_its_owner_does_not_share_says_what_to_do() -> None:
    pipeline = seeded()
    pipeline.regions[FAR].fail["copy_db_cluster_snapshot"] = ["KMSKeyNotAccessibleFault"]
    execution = run(pipeline, "two hops")
    assert execution.error == "KmsKeyUnavailable"
    assert f"source_accounts of the inventory names {OTHER}" in execution.cause
    nothing_is_left(pipeline)


def with_fifteen_clones() -> Pipeline:
    pipeline = seeded()
    group = pipeline.rds.names()["orders-prod"]
    pipeline.rds.clusters[group]["CloneGroupId"] = group
    for number in range(15):
        pipeline.rds.add_cluster(f"clone-{number}", classes=(), CloneGroupId=group)
    return pipeline


def test_the_sixteenth_clone_is_refused_by_name() -> None:
    pipeline = with_fifteen_clones()
    execution = run(pipeline, "clone")
    assert execution.error == "CloneLimitReached"
    assert NEW not in pipeline.rds.names()


@pytest.mark.parametrize(
    ("code", "error"), [("DBClusterQuotaExceededFault", "QuotaExceeded"), ("AccessDenied", "AccessDenied")]
)
def test_another_refusal_of_a_clone_keeps_its_own_class(code: str, error: str) -> None:
    pipeline = with_fifteen_clones()
    pipeline.rds.fail["restore_db_cluster_to_point_in_time"] = [code]
    assert run(pipeline, "clone").error == error


def _deaths() -> list[tuple[str, int]]:
    """Every call that changes something, of the kinds of source that have calls of their own."""
    found = []
    for kind in ("time", "clone", "two hops"):
        pipeline = seeded()
        run(pipeline, kind)
        found += [(kind, number) for number in range(1, all_changes(pipeline) + 1)]
    return found


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("kind", "number"), _deaths())
def test_death_at_any_call_is_survived_by_the_retry(kind: str, number: int, moment: str) -> None:
    pipeline = seeded()
    old = pipeline.rds.names()["orders-staging"]
    died = []

    def kill(_at: int, _what: str) -> str:
        if all_changes(pipeline) == number and not died:
            died.append(moment)
            return moment
        return ""

    def skip_before(at: int, what: str) -> str:
        asked.append(what)
        return kill(at, what) if moment == "before" or len(asked) % 2 == 0 else ""

    asked: list[str] = []
    for rds in pipeline.regions.values():
        rds.kill = skip_before
    execution = run(pipeline, kind)
    assert execution.status == "SUCCEEDED", execution.cause
    assert died == [moment]
    assert pipeline.rds.names()[f"orders-staging-old-{OPERATION}"] == old
    assert len(pipeline.rds.names()) == 3
    assert set(pipeline.rds.snapshots) == {"prod-nightly"}
    assert set(pipeline.regions[FAR].snapshots) == {"far"}


@pytest.mark.parametrize("number", range(1, 4))
def test_a_refusal_at_any_hop_or_the_restore_leaves_nothing(number: int) -> None:
    pipeline = seeded()
    calls = [
        (pipeline.regions[FAR], "copy_db_cluster_snapshot"),
        (pipeline.rds, "copy_db_cluster_snapshot"),
        (pipeline.rds, "restore_db_cluster_from_snapshot"),
    ]
    rds, operation = calls[number - 1]
    rds.fail[operation] = ["InvalidParameterValue"]
    assert run(pipeline, "two hops").error == "AwsCallFailed"
    nothing_is_left(pipeline)

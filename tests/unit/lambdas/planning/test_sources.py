"""Every source type: what it finds, what it refuses, and how the plan says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from aurora_restore.steps import snapshot_check
from tests.unit.lambdas.fake_rds import ACCOUNT
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline

OTHER = "999999999999"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key"
FOREIGN_KEY = f"arn:aws:kms:us-east-1:{OTHER}:key/prod"


@pytest.fixture
def pipeline() -> Pipeline:
    made = Pipeline()
    made.seed()
    return made


def plan(pipeline: Pipeline, **source: Any) -> dict[str, Any]:
    document = {
        "request": {**REQUEST, "source": source},
        "execution": {"id": "arn:1", "name": OPERATION, "started_at": "2026-11-23T07:00:00.000Z"},
    }
    return snapshot_check.run(pipeline.context, document)


def refusal(pipeline: Pipeline, **source: Any) -> tuple[str, str]:
    with pytest.raises(Exception) as caught:  # which one it is, is what the tests look at
        plan(pipeline, **source)
    assert pipeline.rds.changes == []
    return type(caught.value).__name__, str(caught.value)


def cluster(pipeline: Pipeline, name: str) -> dict[str, Any]:
    return pipeline.rds.clusters[pipeline.rds.names()[name]]


LATEST: dict[str, Any] = {"type": "latest_snapshot", "cluster": "orders-prod"}


# --- snapshots ---


@pytest.mark.parametrize(("limit", "fits"), [(1.5, True), (1.0, True), (0.9, False)])
@pytest.mark.parametrize("source", [LATEST, {"type": "snapshot", "snapshot": "prod-nightly"}])
def test_a_snapshot_has_to_be_young_enough(
    pipeline: Pipeline, source: dict[str, Any], limit: float, fits: bool
) -> None:
    if fits:
        assert plan(pipeline, **source, max_age_hours=limit)["source"]["snapshot_id"] == "prod-nightly"
    else:
        error, text = refusal(pipeline, **source, max_age_hours=limit)
        assert error == "SnapshotTooOld"
        assert "1.0 hours old" in text


def test_the_newest_snapshot_of_a_utc_date_is_chosen(pipeline: Pipeline) -> None:
    # The clock says 2026-11-23 07:00 UTC: these are of 06:00, of 22:00 and 02:00 the day before, of two days before.
    for name, hours in {"last": 9, "early": 29, "older": 40}.items():
        pipeline.rds.add_snapshot(f"rds:{name}", "orders-prod", kind="automated", age_hours=hours)
    source = {"type": "snapshot_of_date", "cluster": "orders-prod"}
    assert plan(pipeline, **source, date="2026-11-22")["source"]["snapshot_id"] == "rds:last"
    assert plan(pipeline, **source, date="2026-11-23")["source"]["snapshot_id"] == "prod-nightly"
    error, text = refusal(pipeline, **source, date="2026-11-20")
    assert error == "SnapshotNotFound"
    assert "2026-11-21, 2026-11-22, 2026-11-23" in text


def test_the_only_snapshot_of_a_date_must_be_available(pipeline: Pipeline) -> None:
    pipeline.rds.add_snapshot("unfinished", "orders-prod", age_hours=10, Status="creating")
    error, text = refusal(pipeline, type="snapshot_of_date", cluster="orders-prod", date="2026-11-22")
    assert error == "SnapshotNotAvailable"
    assert "unfinished is creating" in text


def test_a_copy_that_a_pipeline_made_is_never_the_latest_snapshot(pipeline: Pipeline) -> None:
    tags = [{"Key": "other-prefix:operation", "Value": "x"}]
    copied = "arn:aws:rds:us-east-1:123456789012:cluster-snapshot:old"
    pipeline.rds.add_snapshot("kept", "orders-prod", age_hours=0, TagList=tags, SourceDBClusterSnapshotArn=copied)
    assert plan(pipeline, **LATEST)["source"]["snapshot_id"] == "prod-nightly"
    # A snapshot that inherited the tag of a cluster that a pipeline restored is no copy.
    pipeline.rds.add_snapshot("rds:automated", "orders-prod", kind="automated", age_hours=0, TagList=tags)
    assert plan(pipeline, **LATEST)["source"]["snapshot_id"] == "rds:automated"


def test_a_snapshot_of_the_target_is_refused_under_its_former_name_too(pipeline: Pipeline) -> None:
    resource = pipeline.rds.names()["orders-staging"]
    pipeline.rds.add_snapshot("before", "orders-old", DbClusterResourceId=resource)
    assert refusal(pipeline, type="snapshot", snapshot="before")[0] == "SourceIsTarget"


# --- another account ---


def test_the_latest_shared_snapshot_of_an_account_is_chosen(pipeline: Pipeline) -> None:
    for name, hours in {"a": 30, "b": 2, "c": 4}.items():
        pipeline.rds.share_snapshot(name, "orders-prod", OTHER, age_hours=hours)
    pipeline.rds.share_snapshot("d", "orders-prod", "888888888888", age_hours=0)
    pipeline.rds.share_snapshot("e", "customers-prod", OTHER, age_hours=0)
    planned = plan(pipeline, **LATEST, account=OTHER)
    arn = f"arn:aws:rds:us-east-1:{OTHER}:cluster-snapshot:b"
    assert (planned["source"]["snapshot_arn"], planned["source"]["account"]) == (arn, OTHER)
    assert planned["copy"]["needed"] is False
    assert planned["restore"]["snapshot_id"] == arn  # unencrypted: restored as it is, by its ARN


def test_a_shared_encrypted_snapshot_is_copied_under_a_key_of_this_account(pipeline: Pipeline) -> None:
    shared = pipeline.rds.share_snapshot("s", "orders-prod", OTHER, StorageEncrypted=True, KmsKeyId=FOREIGN_KEY)
    planned = plan(pipeline, type="snapshot", snapshot=shared["DBClusterSnapshotArn"])
    (hop,) = planned["copy"]["hops"]
    pipelines_key = pipeline.context.settings.kms_key_id
    assert hop["kms_key_arn"] == planned["restore"]["kms_key_id"] == pipelines_key
    assert planned["origins"]["kms_key_id"] == "pipeline"
    assert planned["restore"]["snapshot_id"] == hop["snapshot_id"]


def test_the_same_name_in_another_account_is_another_cluster(pipeline: Pipeline) -> None:
    pipeline.rds.share_snapshot("s", "orders-staging", OTHER)
    planned = plan(pipeline, type="latest_snapshot", cluster="orders-staging", account=OTHER)
    assert planned["source"]["cluster"] == "orders-staging"
    assert refusal(pipeline, type="latest_snapshot", cluster="orders-staging")[0] == "SourceIsTarget"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({"type": "snapshot", "snapshot": f"arn:aws:rds:us-east-1:{OTHER}:cluster-snapshot:s"}, "shares no snapshot"),
        ({"type": "snapshot", "snapshot": f"arn:aws:rds:us-east-1:{OTHER}:cluster-snapshot:rds:s"}, "automated"),
        ({**LATEST, "account": OTHER}, "shares no snapshot of cluster orders-prod"),
    ],
)
def test_what_is_not_shared_says_what_its_owner_must_do(pipeline: Pipeline, source: dict[str, Any], says: str) -> None:
    error, text = refusal(pipeline, **source)
    assert error == "SnapshotNotShared"
    assert says in text
    assert "kms:CreateGrant" in text


def test_another_region_of_another_account_takes_two_hops(pipeline: Pipeline) -> None:
    key = FOREIGN_KEY.replace("us-east-1", "eu-west-1")
    pipeline.regions["eu-west-1"].share_snapshot("s", "orders-prod", OTHER, StorageEncrypted=True, KmsKeyId=key)
    planned = plan(pipeline, **LATEST, account=OTHER, region="eu-west-1", hop_kms_key="alias/hops")
    assert [(hop["region"], hop["kms_key_arn"]) for hop in planned["copy"]["hops"]] == [
        ("eu-west-1", f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/hops"),
        ("us-east-1", pipeline.context.settings.kms_key_id),
    ]
    assert planned["restore"]["snapshot_id"] == f"orders-staging-copy-{OPERATION}"


def test_a_key_of_the_request_becomes_an_arn_of_the_targets_region(pipeline: Pipeline) -> None:
    document: dict[str, Any] = {
        "request": {**REQUEST, "target": {"cluster": "orders-staging", "kms_key": "alias/mine"}},
        "execution": {"id": "arn:1", "name": OPERATION, "started_at": "2026-11-23T07:00:00.000Z"},
    }
    planned = snapshot_check.run(pipeline.context, document)
    assert planned["restore"]["kms_key_id"] == f"arn:aws:kms:us-east-1:{ACCOUNT}:key/of-mine"
    assert planned["origins"]["kms_key_id"] == "request"
    document["request"]["target"]["kms_key"] = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/far"
    with pytest.raises(Exception, match=r"target\.kms_key"):
        snapshot_check.run(pipeline.context, document)


def test_an_alias_of_the_snapshots_own_key_needs_no_copy(pipeline: Pipeline) -> None:
    pipeline.rds.snapshots["prod-nightly"].update(StorageEncrypted=True, KmsKeyId=f"{KEY}/prod")
    document: dict[str, Any] = {
        "request": {**REQUEST, "target": {"cluster": "orders-staging", "kms_key": "alias/prod"}},
        "execution": {"id": "arn:1", "name": OPERATION, "started_at": "2026-11-23T07:00:00.000Z"},
    }
    alias = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/prod"
    assert snapshot_check.run(pipeline.context, document)["copy"]["needed"] is True
    pipeline.keys.aliases[alias] = f"{KEY}/prod"
    planned = snapshot_check.run(pipeline.context, document)
    assert (planned["copy"]["needed"], planned["restore"]["kms_key_id"]) == (False, f"{KEY}/prod")
    pipeline.keys.states[alias] = "AccessDenied"  # then it is copied to be sure
    planned = snapshot_check.run(pipeline.context, document)
    assert [hop["kms_key_arn"] for hop in planned["copy"]["hops"]] == [alias]


# --- clusters in being ---


def test_a_point_in_time_is_restored_from_the_cluster_itself(pipeline: Pipeline) -> None:
    planned = plan(pipeline, type="point_in_time", cluster="orders-prod", time="2026-11-23T05:30:00Z")
    source = cluster(pipeline, "orders-prod")
    assert planned["copy"]["needed"] is False
    assert {key: planned["restore"][key] for key in ("api", "source_cluster", "restore_type", "restore_to_time")} == {
        "api": "RestoreDBClusterToPointInTime",
        "source_cluster": "orders-prod",
        "restore_type": "full-copy",
        "restore_to_time": "2026-11-23T05:30:00.000000Z",
    }
    assert planned["restore"]["source_resource_id"] == source["DbClusterResourceId"]
    assert planned["source"]["created_at"] == "2026-11-23T05:30:00.000000Z"
    assert planned["origins"]["engine_version"] == "source"


@pytest.mark.parametrize("time", ["2026-11-20T00:00:00Z", "2026-11-23T06:58:00Z", "2027-01-01T00:00:00Z"])
def test_a_time_that_the_backups_do_not_cover_is_refused_with_their_bounds(pipeline: Pipeline, time: str) -> None:
    now = pipeline.clock.now()
    cluster(pipeline, "orders-prod").update(
        EarliestRestorableTime=now - timedelta(days=2), LatestRestorableTime=now - timedelta(minutes=5)
    )
    error, text = refusal(pipeline, type="point_in_time", cluster="orders-prod", time=time)
    assert error == "TimeNotRestorable"
    assert "2026-11-21T07:00:00.000000Z to 2026-11-23T06:55:00.000000Z" in text


def test_the_latest_restorable_time_may_be_too_old(pipeline: Pipeline) -> None:
    latest = pipeline.clock.now() - timedelta(hours=3)
    cluster(pipeline, "orders-prod")["LatestRestorableTime"] = latest
    source: dict[str, Any] = {"type": "latest_restorable_time", "cluster": "orders-prod"}
    planned = plan(pipeline, **source, max_age_hours=4)
    assert (planned["restore"]["restore_type"], planned["restore"]["restore_to_time"]) == ("full-copy", None)
    assert planned["source"]["created_at"] == "2026-11-23T04:00:00.000000Z"
    assert refusal(pipeline, **source, max_age_hours=2)[0] == "SnapshotTooOld"


def test_a_clone_is_copy_on_write_and_needs_an_instance_at_its_source(pipeline: Pipeline) -> None:
    planned = plan(pipeline, type="clone", cluster="orders-prod")
    assert (planned["restore"]["restore_type"], planned["restore"]["restore_to_time"]) == ("copy-on-write", None)
    pipeline.rds.instances = {
        key: item for key, item in pipeline.rds.instances.items() if item["DBInstanceIdentifier"] != "orders-prod-1"
    }
    error, text = refusal(pipeline, type="clone", cluster="orders-prod")
    assert error == "SourceNotAvailable"
    assert "no instances" in text


@pytest.mark.parametrize("kind", ["latest_restorable_time", "clone"])
def test_a_cluster_that_cannot_be_restored_from_is_refused(pipeline: Pipeline, kind: str) -> None:
    assert refusal(pipeline, type=kind, cluster="nowhere")[0] == "SourceNotFound"
    assert refusal(pipeline, type=kind, cluster="orders-staging")[0] == "SourceIsTarget"
    error, text = refusal(pipeline, type=kind, cluster="orders-prod", region="eu-west-1")
    assert error == "InvalidRequest"
    assert "us-east-1 only" in text
    cluster(pipeline, "orders-prod")["Status"] = "modifying"
    assert refusal(pipeline, type=kind, cluster="orders-prod")[0] == "SourceNotAvailable"
    cluster(pipeline, "orders-prod").update(Status="available", EngineVersion="15.8")
    assert refusal(pipeline, type=kind, cluster="orders-prod")[0] == "IncompatibleEngine"


@pytest.mark.parametrize("kind", ["latest_restorable_time", "clone"])
def test_an_encrypted_target_never_becomes_unencrypted(pipeline: Pipeline, kind: str) -> None:
    cluster(pipeline, "orders-staging").update(StorageEncrypted=True, KmsKeyId=f"{KEY}/staging")
    assert refusal(pipeline, type=kind, cluster="orders-prod")[0] == "EncryptionNotPossible"
    cluster(pipeline, "orders-prod").update(StorageEncrypted=True, KmsKeyId=f"{KEY}/prod")
    assert plan(pipeline, type=kind, cluster="orders-prod")["restore"]["kms_key_id"] == f"{KEY}/staging"

"""SnapshotCheck: the guard rails, the choice of the snapshot, the mirrored topology."""

from __future__ import annotations

from typing import Any

import pytest

from aurora_restore.errors import QuotaExceeded
from aurora_restore.steps import snapshot_check
from tests.unit.lambdas.fake_rds import ACCOUNT
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline

KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key"


@pytest.fixture
def pipeline() -> Pipeline:
    made = Pipeline()
    made.seed()
    return made


def plan(pipeline: Pipeline, name: str = OPERATION, **changes: Any) -> dict[str, Any]:
    document = {
        "request": {**REQUEST, **changes},
        "execution": {"id": "arn:1", "name": name, "started_at": "2026-11-23T07:00:00.000Z"},
    }
    return snapshot_check.run(pipeline.context, document)


def refusal(pipeline: Pipeline, **changes: Any) -> str:
    with pytest.raises(Exception) as caught:  # which one it is, is what the tests look at
        plan(pipeline, **changes)
    assert pipeline.rds.changes == []
    return type(caught.value).__name__


def target(pipeline: Pipeline) -> dict[str, Any]:
    return pipeline.rds.clusters[pipeline.rds.names()["orders-staging"]]


def test_another_account_is_refused(pipeline: Pipeline) -> None:
    pipeline.sts.account = "999999999999"
    assert refusal(pipeline) == "AccountMismatch"


def test_a_target_that_does_not_exist_is_refused(pipeline: Pipeline) -> None:
    assert refusal(pipeline, target={"cluster": "nowhere"}) == "TargetNotFound"


def many_tags(number: int) -> list[dict[str, str]]:
    """The opt-in and AWS's own, which does not count, among `number` of the owner's."""
    names = ["aurora-restore:target", *(f"team:{index}" for index in range(number - 1)), "aws:cloudformation:stack"]
    return [{"Key": name, "Value": "true"} for name in names]


def test_a_target_with_room_for_the_pipelines_tags_is_taken(pipeline: Pipeline) -> None:
    target(pipeline)["TagList"] = many_tags(48)
    pipeline.rds.instances[pipeline.rds.names("instances")["orders-staging-1"]]["TagList"] = many_tags(48)
    assert len(plan(pipeline)["restore"]["tags"]) == 49


def test_a_target_whose_tags_leave_no_room_is_refused_with_the_fix(pipeline: Pipeline) -> None:
    target(pipeline)["TagList"] = many_tags(49)
    pipeline.rds.instances[pipeline.rds.names("instances")["orders-staging-1"]]["TagList"] = many_tags(50)
    with pytest.raises(QuotaExceeded) as caught:
        plan(pipeline)
    for part in ("cluster orders-staging: 51;", "instance orders-staging-1: 51;", "a new instance, ", ": 52. Remedy"):
        assert part in str(caught.value)
    assert "remove-tags-from-resource" in caught.value.remedy


@pytest.mark.parametrize("tags", [[], [{"Key": "aurora-restore:target", "Value": "false"}]])
def test_a_target_without_the_opt_in_tag_is_refused(pipeline: Pipeline, tags: list[dict[str, str]]) -> None:
    target(pipeline)["TagList"] = tags
    assert refusal(pipeline) == "TargetNotAllowed"


def test_the_source_as_target_is_refused(pipeline: Pipeline) -> None:
    pipeline.rds.add_snapshot("own", "orders-staging")
    assert refusal(pipeline, source={"type": "latest_snapshot", "cluster": "orders-staging"}) == "SourceIsTarget"
    assert refusal(pipeline, source={"type": "snapshot", "snapshot": "own"}) == "SourceIsTarget"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"Status": "modifying"}, "TargetNotAvailable"),
        ({"Status": "stopped"}, "TargetNotAvailable"),
        ({"GlobalClusterIdentifier": "world"}, "TargetNotAvailable"),
        ({"Engine": "aurora-mysql"}, "IncompatibleEngine"),
        ({"Engine": "neptune"}, "SeveralProblems"),
        ({"EngineVersion": "15.8"}, "IncompatibleEngine"),
    ],
)
def test_a_target_that_cannot_be_replaced_now_is_refused(
    pipeline: Pipeline, changes: dict[str, Any], error: str
) -> None:
    target(pipeline).update(changes)
    assert refusal(pipeline) == error


def test_a_target_with_a_busy_instance_or_none_is_refused(pipeline: Pipeline) -> None:
    instance = pipeline.rds.instances[pipeline.rds.names("instances")["orders-staging-2"]]
    instance["DBInstanceStatus"] = "rebooting"
    assert refusal(pipeline) == "TargetNotAvailable"
    for name, resource in pipeline.rds.names("instances").items():
        if name.startswith("orders-staging"):
            del pipeline.rds.instances[resource]
    assert refusal(pipeline) == "TargetNotAvailable"


def test_a_name_held_by_somebody_else_is_refused(pipeline: Pipeline) -> None:
    pipeline.rds.add_cluster(f"orders-staging-old-{OPERATION}")
    assert refusal(pipeline) == "NameTaken"


@pytest.mark.parametrize("name", ["0a1b2c3d-aaaa-bbbb-cccc-0123456789ab", "Manual_Run"])
def test_an_execution_name_that_is_no_operation_id_asks_for_one(pipeline: Pipeline, name: str) -> None:
    with pytest.raises(Exception, match="operation_id"):
        plan(pipeline, name)
    assert plan(pipeline, name, operation_id="given-id")["operation_id"] == "given-id"


def test_the_latest_available_snapshot_is_chosen_across_pages_and_kinds(pipeline: Pipeline) -> None:
    for hours in range(2, 8):
        pipeline.rds.add_snapshot(f"rds:older-{hours}", "orders-prod", kind="automated", age_hours=hours)
    pipeline.rds.add_snapshot("unfinished", "orders-prod", age_hours=0, Status="creating")
    pipeline.rds.add_snapshot("of-another", "customers-prod", age_hours=0)
    assert plan(pipeline)["source"]["snapshot_id"] == "prod-nightly"
    pipeline.rds.add_snapshot("rds:newest", "orders-prod", kind="automated", age_hours=0)
    assert plan(pipeline)["source"]["snapshot_id"] == "rds:newest"


@pytest.mark.parametrize("by", ["id", "arn"])
@pytest.mark.parametrize("name", ["manual-1", "rds:automated-1"])
def test_a_named_snapshot_is_found_by_id_and_arn(pipeline: Pipeline, name: str, by: str) -> None:
    kind = "automated" if name.startswith("rds:") else "manual"
    snapshot = pipeline.rds.add_snapshot(name, "orders-prod", kind=kind)
    given = name if by == "id" else snapshot["DBClusterSnapshotArn"]
    assert plan(pipeline, source={"type": "snapshot", "snapshot": given})["source"]["snapshot_id"] == name


def test_snapshots_that_cannot_be_used_are_refused_by_kind(pipeline: Pipeline) -> None:
    pipeline.rds.add_snapshot("unfinished", "fresh-prod", Status="creating")
    refused = {
        "SnapshotNotFound": [
            {"type": "snapshot", "snapshot": "nothing"},
            {"type": "latest_snapshot", "cluster": "no-such-cluster"},
        ],
        "SnapshotNotAvailable": [
            {"type": "snapshot", "snapshot": "unfinished"},
            {"type": "latest_snapshot", "cluster": "fresh-prod"},
        ],
        "InvalidRequest": [{"type": "snapshot", "snapshot": "arn:aws:s3:::bucket"}],
    }
    for error, sources in refused.items():
        assert [refusal(pipeline, source=source) for source in sources] == [error] * len(sources)


def test_no_copy_is_planned_within_a_region_and_a_key(pipeline: Pipeline) -> None:
    assert plan(pipeline)["copy"]["needed"] is False


def test_another_key_for_an_encrypted_snapshot_needs_a_copy(pipeline: Pipeline) -> None:
    target(pipeline).update(StorageEncrypted=True, KmsKeyId=f"{KEY}/staging")
    pipeline.rds.snapshots["prod-nightly"].update(StorageEncrypted=True, KmsKeyId=f"{KEY}/prod")
    planned = plan(pipeline)
    assert planned["copy"]["needed"] is True
    assert [hop["kms_key_arn"] for hop in planned["copy"]["hops"]] == [f"{KEY}/staging"]
    assert planned["restore"]["snapshot_id"] == f"orders-staging-copy-{OPERATION}"
    assert planned["origins"]["kms_key_id"] == "target"


def test_an_unencrypted_snapshot_is_encrypted_by_the_restore_itself(pipeline: Pipeline) -> None:
    target(pipeline).update(StorageEncrypted=True, KmsKeyId=f"{KEY}/staging")
    planned = plan(pipeline)
    assert planned["copy"]["needed"] is False
    assert planned["restore"]["kms_key_id"] == f"{KEY}/staging"


def test_another_region_needs_a_copy_and_a_key_of_this_one(pipeline: Pipeline) -> None:
    far = "arn:aws:kms:eu-west-1:123456789012:key/prod"
    pipeline.regions["eu-west-1"].add_snapshot("far", "orders-prod", StorageEncrypted=True, KmsKeyId=far)
    planned = plan(pipeline, source={**REQUEST["source"], "region": "eu-west-1"})
    assert planned["copy"]["needed"] is True
    assert [hop["kms_key_arn"] for hop in planned["copy"]["hops"]] == [pipeline.context.settings.kms_key_id]
    assert planned["restore"]["kms_key_id"] == pipeline.context.settings.kms_key_id


def test_the_topology_is_mirrored_with_its_origins(pipeline: Pipeline) -> None:
    scaling = {"MinCapacity": 0.5, "MaxCapacity": 8.0}
    target(pipeline).update(ServerlessV2ScalingConfiguration=scaling, EnabledCloudwatchLogsExports=["postgresql"])
    planned = plan(pipeline)
    assert planned["restore"]["serverless_scaling"] == scaling
    assert planned["restore"]["log_exports"] == ["postgresql"]
    assert [item["class"] for item in planned["instances"]] == ["db.r6g.large", "db.r6g.xlarge"]
    assert [item["tier"] for item in planned["instances"]] == [1, 2]
    assert [item["replaces"] for item in planned["instances"]] == ["orders-staging-1", "orders-staging-2"]
    mirrored = set(planned["restore"]) - {"api", "snapshot_id"}
    assert mirrored == {key for key in planned["origins"] if not key.startswith("instances.")}
    assert planned["origins"]["engine_version"] == "snapshot"


def test_the_request_overrules_the_mirror(pipeline: Pipeline) -> None:
    planned = plan(pipeline, instances={"count": 3, "class": "db.t4g.medium"})
    assert [item["class"] for item in planned["instances"]] == ["db.t4g.medium"] * 3
    assert [item["replaces"] for item in planned["instances"]] == ["orders-staging-1", "orders-staging-2", None]
    assert planned["origins"]["instances.class"] == "request"


def test_the_engine_version_is_the_snapshots(pipeline: Pipeline) -> None:
    target(pipeline)["EngineVersion"] = "16.6"
    assert plan(pipeline)["restore"]["engine_version"] == "16.4"


@pytest.mark.parametrize(("timeout", "reserve"), [(7200, 900), (1200, 300)])
def test_the_deadline_leaves_time_for_the_undo(timeout: int, reserve: int) -> None:
    pipeline = Pipeline(environment={"STATE_MACHINE_TIMEOUT_SECONDS": str(timeout)})
    pipeline.seed()
    assert plan(pipeline)["deadline"] == pipeline.context.now() + timeout - reserve

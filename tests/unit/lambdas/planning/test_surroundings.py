"""What AWS would refuse in mid-run is told before anything begins; what may not be seen is skipped with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.lambdas.machine import Execution
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline

DRY = {**REQUEST, "dry_run": True}
KEY = "arn:aws:kms:us-east-1:123456789012:key/team"


@pytest.fixture
def pipeline() -> Pipeline:
    made = Pipeline()
    made.seed()
    return made


def found(ended: Execution) -> dict[str, tuple[str, str]]:
    assert ended.status == "SUCCEEDED", ended.cause
    return {check["name"]: (check["result"], check["detail"]) for check in ended.output["plan"]["preflight"]}


def refused(pipeline: Pipeline, **request: Any) -> tuple[str, str]:
    ended = pipeline.run({**DRY, **request})
    assert ended.status == "FAILED"
    assert pipeline.rds.changes == []
    return ended.error, ended.cause


def test_all_is_looked_at_and_passes(pipeline: Pipeline) -> None:
    checks = found(pipeline.run(DRY))
    assert {result for result, _ in checks.values()} == {"passed"}
    assert list(checks) == [
        *("running operations", "keys", "key policies", "quotas", "copies in progress", "subnets", "instance classes"),
        *("parameter groups", "names", "deletion protection", "left behind"),
    ]
    assert checks["quotas"][1] == "DBClusters: 3 of 40 used, 1 needed; DBInstances: 5 of 40 used, 2 needed"
    assert checks["subnets"][1] == "private: us-east-1a, us-east-1b"
    zones = "us-east-1a, us-east-1b"
    assert checks["instance classes"][1] == f"db.r6g.large in {zones}; db.r6g.xlarge in {zones}"


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion", "Unavailable", None])
def test_a_key_that_cannot_encrypt(pipeline: Pipeline, state: str | None) -> None:
    pipeline.keys.states[KEY] = state
    error, cause = refused(pipeline, target={"cluster": "orders-staging", "kms_key": KEY})
    assert error == "KmsKeyUnavailable"
    assert KEY in cause


def test_a_key_of_aws_that_nobody_has_used_yet_is_no_obstacle(pipeline: Pipeline) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:alias/aws/rds"
    pipeline.keys.states[key] = None
    checks = found(pipeline.run({**DRY, "target": {"cluster": "orders-staging", "kms_key": key}}))
    assert checks["keys"] == ("passed", f"{key} is made by AWS when it is first used")


@pytest.mark.parametrize("name", ["DBClusters", "DBInstances"])
def test_a_quota_without_room(pipeline: Pipeline, name: str) -> None:
    pipeline.offers.quotas[name][0] = 40
    error, cause = refused(pipeline)
    assert (error, f"{name}: 40 of 40 used" in cause) == ("QuotaExceeded", True)


def test_the_quota_of_instances_counts_all_that_are_needed(pipeline: Pipeline) -> None:
    pipeline.offers.quotas["DBInstances"][0] = 38
    assert found(pipeline.run(DRY))["quotas"][0] == "warning"
    pipeline.offers.quotas["DBInstances"][0] = 39
    assert refused(pipeline)[0] == "QuotaExceeded"


def test_the_quota_of_snapshots_counts_when_a_copy_is_needed(pipeline: Pipeline) -> None:
    pipeline.offers.quotas["ManualClusterSnapshots"][0] = 100
    assert pipeline.run(DRY).status == "SUCCEEDED"
    pipeline.regions["eu-west-1"].add_snapshot("far", "orders-prod")
    error, cause = refused(pipeline, source={**REQUEST["source"], "region": "eu-west-1"})
    assert (error, "ManualClusterSnapshots: 100 of 100" in cause) == ("QuotaExceeded", True)


def test_a_copy_on_the_way_needs_room_in_its_own_region(pipeline: Pipeline) -> None:
    pipeline.regions["eu-west-1"].share_snapshot("theirs", "orders-prod", "210987654321")
    pipeline.offers_in["eu-west-1"].quotas["ManualClusterSnapshots"][0] = 100
    far = {**REQUEST["source"], "account": "210987654321", "region": "eu-west-1"}
    error, cause = refused(pipeline, source=far)
    assert (error, "ManualClusterSnapshots in eu-west-1: 100 of 100 used, 1 needed" in cause) == ("QuotaExceeded", True)


def test_a_copy_that_an_earlier_attempt_has_made_is_not_counted_twice(pipeline: Pipeline) -> None:
    pipeline.regions["eu-west-1"].add_snapshot("far", "orders-prod")
    made = pipeline.rds.add_snapshot(f"orders-staging-copy-{OPERATION}", "orders-prod")
    made["TagList"] = [{"Key": "aurora-restore:operation", "Value": OPERATION}]
    pipeline.offers.quotas["ManualClusterSnapshots"][0] = 100
    assert found(pipeline.run({**DRY, "source": {**REQUEST["source"], "region": "eu-west-1"}}))["quotas"][0] == "passed"


def test_five_copies_in_progress_are_a_warning_because_they_are_waited_for(pipeline: Pipeline) -> None:
    pipeline.regions["eu-west-1"].add_snapshot("far", "orders-prod")
    for number in range(5):
        pipeline.rds.add_snapshot(f"others-{number}", "others", Status="copying")
    checks = found(pipeline.run({**DRY, "source": {**REQUEST["source"], "region": "eu-west-1"}}))
    assert checks["copies in progress"] == ("warning", "5 of 5 in us-east-1: the copy waits for its turn")


@pytest.mark.parametrize(
    ("zones", "status"), [(["us-east-1a"], "Complete"), (["us-east-1a", "us-east-1b"], "Creating")]
)
def test_a_subnet_group_that_is_not_fit(pipeline: Pipeline, zones: list[str], status: str) -> None:
    pipeline.offers.zones["private"], pipeline.offers.status = zones, status
    assert refused(pipeline)[0] == "SubnetGroupUnfit"


@pytest.mark.parametrize("zones", [None, ["us-east-1c", "us-east-1d"]])
def test_a_class_that_is_offered_nowhere_or_only_where_the_subnets_are_not(
    pipeline: Pipeline, zones: list[str] | None
) -> None:
    pipeline.offers.class_zones["db.r6g.xlarge"] = zones
    error, cause = refused(pipeline)
    assert (error, "db.r6g.xlarge in none of the zones" in cause) == ("IncompatibleEngine", True)
    assert "db.r6g.large" not in cause


@pytest.mark.parametrize(("zones", "told"), [(["us-east-1b"], "us-east-1b"), ([], "none of the zones")])
def test_a_class_in_fewer_than_two_of_the_zones_may_do(pipeline: Pipeline, zones: list[str], told: str) -> None:
    pipeline.offers.class_zones["db.r6g.large"] = zones
    result, detail = found(pipeline.run(DRY))["instance classes"]
    assert (result, detail.startswith(f"fewer than 2 zones: db.r6g.large in {told}")) == ("warning", True)


def test_without_a_subnet_group_every_zone_counts(pipeline: Pipeline) -> None:
    del pipeline.rds.clusters[pipeline.rds.names()["orders-staging"]]["DBSubnetGroup"]
    checks = found(pipeline.run(DRY))
    assert checks["subnets"][0] == "warning"
    assert checks["instance classes"][0] == "passed"


def test_groups_that_do_not_exist_any_more(pipeline: Pipeline) -> None:
    pipeline.offers.zones.clear()
    pipeline.offers.groups.clear()
    error, cause = refused(pipeline)
    assert (error, cause.count("AR308")) == ("SeveralProblems", 2)


@pytest.mark.parametrize("group", ["shop-16", "shop-instances-16"])
def test_a_parameter_group_of_another_family(pipeline: Pipeline, group: str) -> None:
    pipeline.offers.groups[group] = "aurora-postgresql15"
    error, cause = refused(pipeline)
    assert (error, f"{group} is of aurora-postgresql15" in cause) == ("IncompatibleEngine", True)


def test_a_version_that_is_offered_no_longer(pipeline: Pipeline) -> None:
    pipeline.offers.offered = False
    assert refused(pipeline)[0] == "IncompatibleEngine"


def test_instance_and_copy_names_that_are_taken(pipeline: Pipeline) -> None:
    pipeline.rds.add_cluster("x", classes=())
    pipeline.rds._new_instance(  # a name that no cluster of ours would give
        f"orders-staging-{OPERATION}-1",
        pipeline.rds.clusters[pipeline.rds.names()["x"]],
        "db.r6g.large",
        Status="available",
    )
    pipeline.regions["eu-west-1"].add_snapshot("far", "orders-prod")
    pipeline.rds.add_snapshot(f"orders-staging-copy-{OPERATION}", "others")
    error, cause = refused(pipeline, source={**REQUEST["source"], "region": "eu-west-1"})
    assert error == "NameTaken"
    assert f"instance orders-staging-{OPERATION}-1" in cause
    assert f"snapshot orders-staging-copy-{OPERATION} in us-east-1" in cause


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"CustomEndpoints": ["reports.cluster-custom-c1.rds.amazonaws.com"]}, "reports.cluster-custom-c1"),
        ({"IAMDatabaseAuthenticationEnabled": True}, "rds-db:connect"),
        ({"ActivityStreamStatus": "started"}, "the activity stream"),
        ({"MasterUserSecret": {"SecretArn": "arn:s", "SecretStatus": "active"}}, "the secret"),
        ({"ReadReplicaIdentifiers": ["arn:aws:rds:eu-west-1:123456789012:cluster:copy"]}, "eu-west-1"),
        ({"ReplicationSourceIdentifier": "arn:aws:rds:eu-west-1:123456789012:cluster:first"}, "replicates from"),
    ],
)
def test_what_belongs_to_the_old_cluster_after_a_swap_is_told(raw: dict[str, Any], says: str) -> None:
    pipeline = Pipeline()
    pipeline.seed(**raw)
    result, detail = found(pipeline.run(DRY))["left behind"]
    assert (result, says in detail) == ("warning", True)
    beside = found(pipeline.run({**DRY, "strategy": "side_by_side"}, "second-operation"))
    assert beside["left behind"] == ("passed", "nothing but the old cluster itself")


@pytest.mark.parametrize(
    ("strategy", "kept"), [("swap", f"orders-staging-old-{OPERATION}"), ("side_by_side", f"orders-staging-{OPERATION}")]
)
def test_the_name_of_the_last_snapshot_is_needed_later_only(pipeline: Pipeline, strategy: str, kept: str) -> None:
    asked = {**DRY, "strategy": strategy, "retention": {"final_snapshot": True}}
    assert found(pipeline.run(asked))["names"][0] == "passed"
    pipeline.rds.add_snapshot(f"{kept}-final", "others")
    result, detail = found(pipeline.run(asked))["names"]
    assert (result, f"snapshot {kept}-final exists" in detail) == ("warning", True)
    assert found(pipeline.run({**DRY, "strategy": strategy}))["names"][0] == "passed"


def test_what_the_role_may_not_see_is_skipped_with_the_reason(pipeline: Pipeline) -> None:
    pipeline.offers.denied |= {"describe_account_attributes", "describe_db_subnet_groups"}
    pipeline.keys.states[KEY] = "AccessDenied"
    checks = found(pipeline.run({**DRY, "target": {"cluster": "orders-staging", "kms_key": KEY}}))
    assert [name for name, (result, _) in checks.items() if result == "skipped"] == [
        *("keys", "key policies", "quotas", "subnets", "instance classes")
    ]
    assert "AccessDenied" in checks["quotas"][1]


def test_everything_that_is_wrong_is_told_at_once(pipeline: Pipeline) -> None:
    pipeline.offers.quotas["DBClusters"][0] = 40
    pipeline.offers.zones["private"] = ["us-east-1a"]
    pipeline.offers.groups["shop-16"] = "aurora-postgresql15"
    error, cause = refused(pipeline)
    assert error == "SeveralProblems"
    for code in ("AR110 IncompatibleEngine", "AR114 SubnetGroupUnfit", "AR304 QuotaExceeded"):
        assert code in cause


def test_a_second_look_of_the_same_operation_does_not_stumble_over_its_own_cluster(pipeline: Pipeline) -> None:
    pipeline.rds.add_cluster(f"orders-staging-{OPERATION}", tags={"aurora-restore:operation": OPERATION}, classes=())
    pipeline.offers.quotas["DBClusters"][0] = 40
    assert found(pipeline.run(DRY))["quotas"][0] == "passed"

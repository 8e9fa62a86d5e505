"""What of the new cluster the request decides, and what the target."""

from __future__ import annotations

from typing import Any

import pytest

from aurora_restore.request import validate
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline

WANTED: dict[str, Any] = {
    "port": 5555,
    "subnet_group": "public",
    "security_group_ids": ["sg-9"],
    "parameter_group": "small-16",
    "iam_authentication": True,
    "log_exports": ["postgresql"],
    "serverless_scaling": {"MinCapacity": 0.5, "MaxCapacity": 4.0},
    "backup_retention_days": 1,
    "backup_window": "01:00-02:00",
    "maintenance_window": "mon:05:00-mon:06:00",
    "deletion_protection": True,
    "copy_tags_to_snapshot": True,
    "storage_type": "aurora-iopt1",
    "network_type": "DUAL",
    "backtrack_seconds": 3600,
    "engine_lifecycle_support": "open-source-rds-extended-support-disabled",
    "http_endpoint": True,
    "local_write_forwarding": True,
}
# What a target can have that the request may override, as DescribeDBClusters says it.
RICH: dict[str, Any] = {
    "BacktrackWindow": 7200,
    "EngineLifecycleSupport": "open-source-rds-extended-support",
    "StorageType": "aurora-iopt1",
    "NetworkType": "DUAL",
    "CopyTagsToSnapshot": True,
    "DatabaseInsightsMode": "advanced",
    "HttpEndpointEnabled": True,
    "LocalWriteForwardingStatus": "enabled",
}
INSIGHTS = {
    "PerformanceInsightsEnabled": True,
    "PerformanceInsightsKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/insights",
    "PerformanceInsightsRetentionPeriod": 465,
}


@pytest.fixture
def pipeline() -> Pipeline:
    made = Pipeline()
    made.seed()
    made.offers.zones["public"] = made.offers.zones["private"]
    made.offers.groups["small-16"] = made.offers.groups["shop-16"]
    return made


def plan(pipeline: Pipeline, **request: Any) -> dict[str, Any]:
    execution = pipeline.run({**REQUEST, **request, "dry_run": True})
    assert execution.status == "SUCCEEDED", execution.cause
    return dict(execution.output["plan"])


def test_every_value_of_the_new_cluster_has_an_origin(pipeline: Pipeline) -> None:
    planned = plan(pipeline)
    told_elsewhere = {"snapshot_id", "api"}  # they follow from the source
    assert set(planned["restore"]) - told_elsewhere <= set(planned["origins"])


@pytest.mark.parametrize("name", WANTED)
def test_the_request_goes_over_the_target_one_by_one(pipeline: Pipeline, name: str) -> None:
    mirrored, planned = plan(pipeline), plan(pipeline, cluster={name: WANTED[name]})
    assert planned["restore"] == {**mirrored["restore"], name: WANTED[name]}
    assert (mirrored["origins"][name], planned["origins"][name]) == ("target", "request")


def test_the_calls_carry_what_the_request_wants(pipeline: Pipeline) -> None:
    execution = pipeline.run({**REQUEST, "cluster": WANTED})
    assert execution.status == "SUCCEEDED", execution.cause
    cluster = pipeline.rds.clusters[pipeline.rds.names()["orders-staging"]]
    given = cluster["restored_with"]
    assert (given["Port"], given["DBSubnetGroupName"], given["VpcSecurityGroupIds"]) == (5555, "public", ["sg-9"])
    assert given["ServerlessV2ScalingConfiguration"] == WANTED["serverless_scaling"]
    assert cluster["DeletionProtection"] is True
    assert cluster["PreferredMaintenanceWindow"] == "mon:05:00-mon:06:00"
    assert pipeline.store.operations[OPERATION].plan["origins"]["port"] == "request"


def test_what_a_target_has_besides_is_mirrored_too(pipeline: Pipeline) -> None:
    target = rich(pipeline)
    execution = pipeline.run(REQUEST)
    assert execution.status == "SUCCEEDED", execution.cause
    made = pipeline.rds.clusters[pipeline.rds.names()["orders-staging"]]
    assert made["DbClusterResourceId"] != target["DbClusterResourceId"]
    given = made["restored_with"]
    names = ("BacktrackWindow", "EngineLifecycleSupport", "StorageType", "NetworkType", "CopyTagsToSnapshot")
    assert {name: given[name] for name in names} == {name: RICH[name] for name in names}
    assert (made["DatabaseInsightsMode"], made["HttpEndpointEnabled"]) == ("advanced", True)
    assert made["EnableLocalWriteForwarding"] is True


def test_database_insights_comes_after_the_restore_with_what_the_instances_have(pipeline: Pipeline) -> None:
    rich(pipeline)
    assert pipeline.run(REQUEST).status == "SUCCEEDED"
    made = pipeline.rds.clusters[pipeline.rds.names()["orders-staging"]]
    assert not [name for name in made["restored_with"] if "Insights" in name or "Monitoring" in name]
    assert (made["EnablePerformanceInsights"], made["PerformanceInsightsRetentionPeriod"]) == (True, 465)
    assert made["PerformanceInsightsKMSKeyId"] == INSIGHTS["PerformanceInsightsKMSKeyId"]


def test_what_comes_later_is_there_before_the_swap(pipeline: Pipeline) -> None:
    rich(pipeline)
    assert pipeline.run(REQUEST).status == "SUCCEEDED"
    changes = pipeline.rds.changes
    assert changes.index("enable_http_endpoint") < changes.index("modify_db_instance")


def test_a_refused_setting_leaves_the_target_as_it_was(pipeline: Pipeline) -> None:
    target = rich(pipeline)
    pipeline.rds.fail = {"modify_db_cluster": ["InvalidParameterCombination"]}
    assert pipeline.run(REQUEST).status == "FAILED"
    assert pipeline.rds.names() == {"orders-prod": "cluster-0001", "orders-staging": target["DbClusterResourceId"]}


def test_a_cluster_that_is_busy_gets_its_settings_later(pipeline: Pipeline) -> None:
    rich(pipeline)
    pipeline.rds.fail = {"modify_db_cluster": ["InvalidDBClusterStateFault"], "enable_http_endpoint": []}
    execution = pipeline.run(REQUEST)
    assert execution.status == "SUCCEEDED", execution.cause
    assert pipeline.rds.clusters[pipeline.rds.names()["orders-staging"]]["HttpEndpointEnabled"] is True


def test_a_setting_that_the_request_turns_off_stays_off(pipeline: Pipeline) -> None:
    rich(pipeline)
    off = {"http_endpoint": False, "local_write_forwarding": False, "database_insights": "standard"}
    assert pipeline.run({**REQUEST, "cluster": off}).status == "SUCCEEDED"
    made = pipeline.rds.clusters[pipeline.rds.names()["orders-staging"]]
    assert not {"HttpEndpointEnabled", "EnableLocalWriteForwarding", "DatabaseInsightsMode"} & set(made)


def test_tags_go_over_the_mirrored_ones(pipeline: Pipeline) -> None:
    planned = plan(pipeline, cluster={"tags": {"team": "search", "cost": "42"}}, instances={"tags": {"role": "any"}})
    own = {"aurora-restore:operation": OPERATION}
    assert planned["restore"]["tags"] == {"aurora-restore:target": "true", "team": "search", "cost": "42", **own}
    assert planned["instance_tags"] == [{"role": "any", **own}]
    assert planned["origins"]["tags"] == planned["origins"]["instances.1.tags"] == "target and request"


def test_instances_are_decided_together_and_one_by_one(pipeline: Pipeline) -> None:
    pipeline.offers.groups["reporting-16"] = pipeline.offers.groups["shop-16"]
    wanted = {
        "class": "db.r6g.large",
        "tags": {"team": "shop"},
        "members": [
            {"tier": 0},
            {"class": "db.r6g.2xlarge", "tier": 15, "parameter_group": "reporting-16", "tags": {"role": "reports"}},
            {"performance_insights": True, "performance_insights_retention_days": 31},
        ],
    }
    execution = pipeline.run({**REQUEST, "instances": wanted})
    assert execution.status == "SUCCEEDED", execution.cause
    calls = [item["created_with"] for item in pipeline.rds.instances.values() if "created_with" in item]
    assert [call["DBInstanceClass"] for call in calls] == ["db.r6g.large", "db.r6g.2xlarge", "db.r6g.large"]
    assert [call["PromotionTier"] for call in calls] == [0, 15, 2]
    groups = [call["DBParameterGroupName"] for call in calls]
    assert groups == ["shop-instances-16", "reporting-16", "shop-instances-16"]
    assert [call["EnablePerformanceInsights"] for call in calls] == [False, False, True]
    assert calls[2]["PerformanceInsightsRetentionPeriod"] == 31
    assert {"Key": "role", "Value": "reports"} in calls[1]["Tags"]
    assert {"Key": "team", "Value": "shop"} in calls[1]["Tags"]
    origins = pipeline.store.operations[OPERATION].plan["origins"]
    assert (origins["instances.count"], origins["instances.class"], origins["instances.2.tier"]) == ("request",) * 3
    assert "instances.1.class" not in origins


def test_without_insights_nothing_is_kept_of_them(pipeline: Pipeline) -> None:
    for instance in pipeline.rds.instances.values():
        instance |= INSIGHTS
    (first, second) = plan(pipeline, instances={"members": [{"performance_insights": False}, {}]})["instances"]
    assert first["performance_insights_retention_days"] is first["performance_insights_kms_key_id"] is None
    assert second["performance_insights_retention_days"] == 465


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"instances": {"class": "db.serverless"}}, "cluster.serverless_scaling"),
        ({"cluster": {"database_insights": "advanced"}}, "465"),
        ({"cluster": {"tags": {"aurora-restore:target": "false"}}}, "cluster.tags"),
        ({"instances": {"members": [{"tags": {"aurora-restore:operation": "x"}}]}}, "instances.members.0.tags"),
    ],
)
def test_what_the_target_cannot_take_is_told_before_anything_begins(
    pipeline: Pipeline, request_: dict[str, Any], words: str
) -> None:
    execution = pipeline.run({**REQUEST, **request_})
    assert (execution.status, execution.error) == ("FAILED", "InvalidRequest")
    assert words in execution.cause
    assert pipeline.rds.changes == []


def test_what_is_not_mirrored_is_named_in_the_plan(pipeline: Pipeline) -> None:
    target = pipeline.rds.clusters[pipeline.rds.names()["orders-staging"]]
    target["AssociatedRoles"] = [{"RoleArn": "arn:aws:iam::1:role/s3", "FeatureName": "s3Import", "Status": "ACTIVE"}]
    target["CustomEndpoints"] = ["reports.cluster-custom-x.us-east-1.rds.amazonaws.com"]
    (finding,) = [look for look in plan(pipeline)["preflight"] if look["name"] == "left behind"]
    assert finding["result"] == "warning"
    assert "role/s3 (s3Import)" in finding["detail"]
    assert "reports.cluster-custom-x" in finding["detail"]


def rich(pipeline: Pipeline) -> dict[str, Any]:
    """The target with everything that can be mirrored."""
    target = pipeline.rds.clusters[pipeline.rds.names()["orders-staging"]]
    target |= RICH
    for instance in pipeline.rds.instances.values():
        instance |= INSIGHTS
    return target


@pytest.mark.parametrize(
    ("instances", "paths"),
    [
        ({"count": 3, "members": [{}]}, ["instances.count"]),
        ({"members": [{"tier": 16, "class": "large"}]}, ["instances.members.0.class", "instances.members.0.tier"]),
        ({"tier": 1}, ["instances.tier"]),
        ({"performance_insights_retention_days": 94}, ["instances.performance_insights_retention_days"]),
        ({"maintenance_window": "sunday"}, ["instances.maintenance_window"]),
        ({"members": [{"tags": {"aws:x": "y"}}]}, ["instances.members.0.tags.aws:x.key"]),
        (
            {"performance_insights": False, "performance_insights_retention_days": 7},
            ["instances.performance_insights_retention_days"],
        ),
    ],
)
def test_mistakes_about_instances_are_told_by_their_paths(instances: dict[str, Any], paths: list[str]) -> None:
    mistakes = validate({**REQUEST, "instances": instances})
    assert [mistake.split(": ")[0] for mistake in mistakes] == paths


@pytest.mark.parametrize(
    ("cluster", "path"),
    [
        ({"serverless_scaling": {"MinCapacity": 4, "MaxCapacity": 2}}, "cluster.serverless_scaling.MinCapacity"),
        (
            {"serverless_scaling": {"MinCapacity": 1, "MaxCapacity": 2, "SecondsUntilAutoPause": 300}},
            "cluster.serverless_scaling.SecondsUntilAutoPause",
        ),
        ({"serverless_scaling": {"MinCapacity": 0.3, "MaxCapacity": 2}}, "cluster.serverless_scaling.MinCapacity"),
        ({"backup_window": "3-4"}, "cluster.backup_window"),
        ({"storage_type": "gp3"}, "cluster.storage_type"),
        ({"port": 80}, "cluster.port"),
        ({"backup_retention_days": 0}, "cluster.backup_retention_days"),
        ({"security_group_ids": []}, "cluster.security_group_ids"),
        ({"serverless_scaling": {"MinCapacity": 1}}, "cluster.serverless_scaling.MaxCapacity"),
        ({"engine": "x"}, "cluster.engine"),
    ],
)
def test_what_rds_would_refuse_is_told_by_its_path(cluster: dict[str, Any], path: str) -> None:
    (mistake,) = validate({**REQUEST, "cluster": cluster})
    assert mistake.startswith(f"{path}:")

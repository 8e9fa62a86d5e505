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


@pytest.mark.parametrize(
    ("cluster", "path"),
    [
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

"""How long a swap keeps the target out of service, and how many calls it makes of RDS and of its own function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aurora_restore.context import Context
from aurora_restore.steps import swap_clusters
from tests.unit.lambdas.machine import Execution
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline

RESTORED = f"orders-staging-{OPERATION}"
RENAME_SECONDS = 60  # what each takes in the fake


def of(instances: int) -> Pipeline:
    """A pipeline whose target has so many instances."""
    pipeline = Pipeline()
    pipeline.offers.quotas["DBInstances"] = [0, 1000]
    pipeline.rds.add_cluster("orders-prod")
    pipeline.rds.add_snapshot("prod-nightly", "orders-prod")
    pipeline.rds.add_cluster(
        "orders-staging", tags={"aurora-restore:target": "true"}, classes=("db.r6g.large",) * instances
    )
    return pipeline


def renames_of_each_call(pipeline: Pipeline) -> list[int]:
    """Counts, while the pipeline runs, the renames that each call of the function asks for."""
    asked: list[int] = []

    def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
        before = len(pipeline.rds.changes)
        try:
            return swap_clusters.run(context, document)
        finally:
            asked.append(len(pipeline.rds.changes) - before)

    pipeline.overrides["swap-clusters"] = run
    return asked


def succeeded(execution: Execution) -> Execution:
    assert execution.status == "SUCCEEDED", execution.cause
    return execution


@pytest.mark.parametrize("instances", [1, 2, 15])
def test_the_target_is_out_of_service_for_four_renames_however_many_instances_it_has(instances: int) -> None:
    pipeline = of(instances)
    execution = succeeded(pipeline.run())
    assert 4 * RENAME_SECONDS <= execution.output["swap"]["seconds"] < 4 * RENAME_SECONDS * 1.05
    assert execution.visited.count("SwapClusters") < 25


def test_a_rollback_takes_as_long_as_the_swap() -> None:
    pipeline = of(3)
    succeeded(pipeline.run())
    back = {"action": "rollback", "rolls_back": OPERATION, "operation_id": "rollback-one"}
    execution = succeeded(pipeline.run({**back, "target": REQUEST["target"]}, "rollback-one"))
    assert 4 * RENAME_SECONDS <= execution.output["swap"]["seconds"] < 4 * RENAME_SECONDS * 1.05
    made = [change.split()[0] for change in pipeline.rds.made if change.startswith("modify_")]
    assert made[-8:] == ["modify_db_cluster"] * 2 + ["modify_db_instance"] * 6


@pytest.mark.parametrize("code", ["InvalidDBInstanceState", "DBInstanceNotFound", "DBInstanceAlreadyExists"])
def test_a_rename_that_aws_refuses_keeps_no_other_one_waiting(code: str) -> None:
    pipeline = of(3)
    asked = renames_of_each_call(pipeline)
    pipeline.rds.fail["modify_db_instance"] = [code]
    succeeded(pipeline.run())
    assert asked[0] == 2
    assert sum(asked) == 2 * 3 + 2


def test_what_aws_refuses_alone_is_asked_again_soon() -> None:
    pipeline = of(1)
    pipeline.rds.fail["modify_db_instance"] = ["InvalidDBInstanceState"]
    execution = succeeded(pipeline.run())
    assert execution.output["swap"]["seconds"] < 4 * RENAME_SECONDS * 1.05 + 5


def test_a_call_makes_no_more_renames_than_it_has_time_for() -> None:
    pipeline = of(40)
    asked = renames_of_each_call(pipeline)
    succeeded(pipeline.run())
    assert max(asked) == swap_clusters.RENAMES_A_CALL
    assert sum(asked) == 2 * 40 + 2


def test_a_slow_instance_holds_up_only_the_one_that_takes_its_name() -> None:
    pipeline = of(2)
    delays = {"orders-staging-1": 50, "orders-staging-2": 100, f"{RESTORED}-1": 120, f"{RESTORED}-2": 55}
    rename = pipeline.rds._modify_db_instance

    def renamed(**arguments: Any) -> dict[str, Any]:
        pipeline.rds.delay = delays[arguments["DBInstanceIdentifier"]]
        try:
            return rename(**arguments)
        finally:
            pipeline.rds.delay = RENAME_SECONDS

    pipeline.rds._modify_db_instance = renamed  # type: ignore[method-assign]
    execution = succeeded(pipeline.run())
    needed = max(50 + 120, 100 + 55) + 2 * RENAME_SECONDS
    assert needed <= execution.output["swap"]["seconds"] < needed * 1.09

"""What the second set of instances costs, and that what is not known is said to be so."""

from __future__ import annotations

from typing import Any

import pytest

from aurora_deploy.runbook.cost import cost

PLAN: dict[str, Any] = {
    "instances": [{"class": "db.r6g.large"}, {"class": "db.r6g.xlarge"}],
    "target": {"region": "us-east-1"},
    "restore": {"serverless_scaling": None, "storage_type": "aurora"},
    "retention": {"keep_old_hours": 24},
    "replace": {"needed": False},
    "swap": {"needed": True},
    "expected_seconds": 3600,
}


def test_the_cost_is_that_of_one_more_set_of_instances() -> None:
    text = cost(PLAN, {"db.r6g.large": 1.0, "db.r6g.xlarge": 2.0})
    assert text.startswith("roughly 75.00 USD: 3.000 USD an hour for 2 more instances, 25.0 hours (your prices)")
    assert "not counted: storage, I/O, snapshots, transfer between regions" in text


def test_the_table_says_where_and_when_it_is_from() -> None:
    assert "Amazon Aurora Pricing, Aurora Standard, us-east-1, 20" in cost(PLAN, {})


def test_another_region_is_reckoned_with_the_tables_and_says_so() -> None:
    there = {**PLAN, "target": {"region": "eu-west-1"}}
    assert "us-east-1, 2025; no prices known for eu-west-1, which may differ)" in cost(there, {})
    assert "eu-west-1" not in cost(there, {"db.r6g.large": 1.0, "db.r6g.xlarge": 2.0})


def test_instances_of_io_optimized_clusters_cost_more() -> None:
    optimized = {**PLAN, "restore": {"serverless_scaling": None, "storage_type": "aurora-iopt1"}}
    text = cost(optimized, {"db.r6g.xlarge": 1.0})
    assert "1.338 USD an hour" in text  # 1.3 times the table's 0.26, and the price that was given as it is
    assert "Aurora I/O-Optimized" in text


def test_without_a_swap_and_a_history_there_is_nothing_to_reckon_with() -> None:
    text = cost({**PLAN, "swap": {"needed": False}, "expected_seconds": None}, {})
    assert text.startswith("roughly 0.00 USD")
    assert "the time of the restore, which is not known yet" in text


@pytest.mark.parametrize(("scaling", "hourly"), [({"MinCapacity": 0.5, "MaxCapacity": 8.0}, "0.800"), (None, "0.100")])
def test_serverless_is_reckoned_at_its_most(scaling: Any, hourly: str) -> None:
    restore = {**PLAN["restore"], "serverless_scaling": scaling}
    plan = {**PLAN, "instances": [{"class": "db.serverless"}], "restore": restore}
    text = cost(plan, {"db.serverless": 0.1})
    assert text.startswith("roughly at most")
    assert f"{hourly} USD an hour" in text


def test_a_class_without_a_price_is_named() -> None:
    text = cost({**PLAN, "instances": [{"class": "db.x9.huge"}]}, {})
    assert text.startswith("no price known for db.x9.huge")
    assert "prices" in text


def test_where_the_target_goes_first_there_is_no_second_set() -> None:
    text = cost({**PLAN, "replace": {"needed": True}}, {})
    assert text.startswith("no more instances than before")

"""What the second set of instances costs, and that what is not known is said to be so."""

from __future__ import annotations

from typing import Any

import pytest

from aurora_deploy.runbook.cost import cost

PLAN: dict[str, Any] = {
    "instances": [{"class": "db.r6g.large"}, {"class": "db.r6g.xlarge"}],
    "restore": {"serverless_scaling": None},
    "retention": {"keep_old_hours": 24},
    "replace": {"needed": False},
    "swap": {"needed": True},
    "expected_seconds": 3600,
}


def test_the_cost_is_that_of_one_more_set_of_instances() -> None:
    text = cost(PLAN, {"db.r6g.large": 1.0, "db.r6g.xlarge": 2.0})
    assert text.startswith("75.00 USD: 3.000 USD an hour for 2 more instances, 25.0 hours (your prices)")
    assert "storage, I/O and transfer are not counted" in text


def test_the_table_says_where_and_when_it_is_from() -> None:
    assert "Amazon Aurora Pricing, us-east-1, 20" in cost(PLAN, {})


def test_without_a_swap_and_a_history_there_is_nothing_to_reckon_with() -> None:
    text = cost({**PLAN, "swap": {"needed": False}, "expected_seconds": None}, {})
    assert text.startswith("0.00 USD")
    assert "the time of the restore, which is not known yet" in text


@pytest.mark.parametrize(("scaling", "hourly"), [({"MinCapacity": 0.5, "MaxCapacity": 8.0}, "0.800"), (None, "0.100")])
def test_serverless_is_reckoned_at_its_most(scaling: Any, hourly: str) -> None:
    plan = {**PLAN, "instances": [{"class": "db.serverless"}], "restore": {"serverless_scaling": scaling}}
    text = cost(plan, {"db.serverless": 0.1})
    assert text.startswith("at most")
    assert f"{hourly} USD an hour" in text


def test_a_class_without_a_price_is_named() -> None:
    text = cost({**PLAN, "instances": [{"class": "db.x9.huge"}]}, {})
    assert text.startswith("unknown: no price of db.x9.huge")
    assert "prices" in text


def test_where_the_target_goes_first_there_is_no_second_set() -> None:
    text = cost({**PLAN, "replace": {"needed": True}}, {})
    assert text.startswith("no more instances than before")

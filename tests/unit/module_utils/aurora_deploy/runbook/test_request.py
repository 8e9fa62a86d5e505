from __future__ import annotations

import datetime
import re
from typing import Any

import pytest

from aurora_deploy.errors import DeployError
from aurora_deploy.runbook.request import assemble, new_operation_id, overrides

TARGETS: dict[str, dict[str, Any]] = {
    "orders-staging": {
        "source": {"type": "latest_snapshot", "cluster": "orders-prod", "region": "us-east-1"},
        "instances": {"count": 1},
        "verify": {"database": "shop", "tables": [{"name": "shop.orders", "min_rows": 1}]},
    },
    "billing": {"target": {"cluster": "billing-test"}, "source": {"type": "snapshot", "snapshot": "b1"}},
}


def test_the_declaration_is_the_request_and_its_key_the_cluster() -> None:
    request = assemble(TARGETS, "orders-staging", {}, operation_id="op-1234")
    assert request == {**TARGETS["orders-staging"], "target": {"cluster": "orders-staging"}, "operation_id": "op-1234"}


def test_a_declaration_may_name_its_cluster_itself() -> None:
    assert assemble(TARGETS, "billing", {}, operation_id="op-1234")["target"] == {"cluster": "billing-test"}


def test_overrides_go_over_the_declaration_key_by_key() -> None:
    overrides = {"verify": {"tables": []}, "instances": {"class": "db.r6g.large"}, "dry_run": True}
    request = assemble(TARGETS, "orders-staging", overrides, operation_id="op-1234")
    assert request["verify"] == {"database": "shop", "tables": []}
    assert request["instances"] == {"count": 1, "class": "db.r6g.large"}
    assert request["dry_run"] is True
    assert TARGETS["orders-staging"]["verify"]["tables"], "the declaration itself stays as it was"


SOURCE = {"type": "latest_snapshot", "cluster": "c", "account": "999999999999", "region": "r", "max_age_hours": 26}
ARGUMENTS = {
    **dict.fromkeys(("source_snapshot", "source_date", "source_time", "source_type"), ""),
    "source_max_age_hours": None,
    "dry_run": None,
    "request": {},
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"source_snapshot": "s"}, {"type": "snapshot", "snapshot": "s", "region": "r"}),
        ({"source_snapshot": "arn:aws:rds:x"}, {"type": "snapshot", "snapshot": "arn:aws:rds:x"}),
        (
            {"source_date": "2026-11-22"},
            {
                "type": "snapshot_of_date",
                "date": "2026-11-22",
                "cluster": "c",
                "account": "999999999999",
                "region": "r",
            },
        ),
        (
            {"source_time": "2026-11-22T01:00:00Z"},
            {"type": "point_in_time", "time": "2026-11-22T01:00:00Z", "cluster": "c", "region": "r"},
        ),
        ({"source_type": "clone"}, {"type": "clone", "cluster": "c", "region": "r"}),
        (
            {"source_type": "latest_restorable_time"},
            {"type": "latest_restorable_time", "cluster": "c", "region": "r", "max_age_hours": 26},
        ),
        ({"source_type": "latest_snapshot"}, SOURCE),
        ({"source_max_age_hours": 2}, {**SOURCE, "max_age_hours": 2}),
        (
            {"source_type": "clone", "source_max_age_hours": 2},
            {"type": "clone", "cluster": "c", "region": "r", "max_age_hours": 2},
        ),
        ({"source_type": "tape"}, {"type": "tape"}),
        ({"request": {"source": {"type": "clone"}}}, {"type": "clone", "cluster": "c", "region": "r"}),
    ],
)
def test_an_operator_may_choose_another_source(given: dict[str, Any], expected: dict[str, Any]) -> None:
    over = overrides({**ARGUMENTS, **given})
    assert assemble({"t": {"source": SOURCE}}, "t", over, operation_id="op-1234")["source"] == expected


def test_two_arguments_that_name_different_sources_are_refused() -> None:
    with pytest.raises(DeployError, match="source_date and source_type name different sources"):
        overrides({**ARGUMENTS, "source_date": "2026-11-22", "source_type": "clone"})


def test_a_source_of_the_same_type_is_merged() -> None:
    request = assemble(TARGETS, "billing", {"source": {"snapshot": "b2"}}, operation_id="op-1234")
    assert request["source"] == {"type": "snapshot", "snapshot": "b2"}


def test_an_operation_id_given_by_the_operator_wins() -> None:
    assert (
        assemble(TARGETS, "billing", {"operation_id": "again-1"}, operation_id="op-1234")["operation_id"] == "again-1"
    )


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("orders-stagin", "did you mean orders-staging"),
        ("nothing-like-it", "knows: billing, orders-staging"),
        ("", "add -e target=<name>"),
    ],
)
def test_an_unknown_target_lists_the_known_ones(target: str, message: str) -> None:
    with pytest.raises(DeployError, match=message):
        assemble(TARGETS, target, {}, operation_id="op-1234")


def test_operation_ids_sort_by_time_fit_the_pattern_and_differ() -> None:
    now = datetime.datetime(2026, 11, 23, 7, 14, 50, tzinfo=datetime.UTC)
    made = {new_operation_id(now) for _ in range(50)}
    assert len(made) > 40
    assert all(re.fullmatch(r"20261123-071450-[a-z0-9]{4}", name) for name in made)
    assert all(re.fullmatch(r"[a-z0-9](-?[a-z0-9])*", name) and 6 <= len(name) <= 24 for name in made)

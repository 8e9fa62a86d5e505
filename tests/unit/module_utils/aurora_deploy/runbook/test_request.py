from __future__ import annotations

import datetime
import re
from typing import Any

import pytest

from aurora_deploy.errors import DeployError
from aurora_deploy.runbook.request import assemble, new_operation_id

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


def test_a_source_of_another_type_replaces_the_declared_one_but_keeps_its_region() -> None:
    overrides = {"source": {"type": "snapshot", "snapshot": "before-release"}}
    request = assemble(TARGETS, "orders-staging", overrides, operation_id="op-1234")
    assert request["source"] == {"type": "snapshot", "snapshot": "before-release", "region": "us-east-1"}


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

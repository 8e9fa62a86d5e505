from __future__ import annotations

from typing import Any

from aurora_deploy.runbook.plan import plan_lines

PLAN: dict[str, Any] = {
    "source": {"snapshot_id": "nightly", "cluster": "orders-prod", "region": "us-east-1", "created_at": "2026-11-23"},
    "target": {"cluster": "orders-staging"},
    "copy": {"needed": True, "snapshot_id": "orders-staging-copy-op-1", "reason": "the snapshot is in eu-west-1"},
    "restore": {"cluster_id": "orders-staging-op-1", "port": 5432, "kms_key_id": None, "tags": {"a": "b"}},
    "instances": [{"id": "orders-staging-op-1-1", "class": "db.r6g.large", "tier": 1}],
    "swap": {"needed": True, "old_cluster_id": "orders-staging-old-op-1"},
    "users": [{"access": "read_only", "secret": "report", "database": "shop", "schemas": ["shop"]}],
    "verify": {"database": "shop", "tables": [], "queries": []},
    "retention": {"keep_old_hours": 24},
    "expected_seconds": 620,
    "origins": {"port": "target", "instances.class": "request", "instances.*": "target"},
}


def test_every_value_of_a_plan_is_told_with_its_origin() -> None:
    assert [" ".join(line.split()) for line in plan_lines(PLAN)] == [
        "source nightly of orders-prod in us-east-1, 2026-11-23",
        "copy orders-staging-copy-op-1: the snapshot is in eu-west-1",
        "new cluster orders-staging-op-1",
        "port = 5432 (from the target)",
        "instance orders-staging-op-1-1",
        "class = db.r6g.large (from the request)",
        "tier = 1 (from the target)",
        "user read_only from secret report in shop",
        'verification {"database": "shop"}',
        "swap orders-staging becomes orders-staging-old-op-1",
        'retention {"keep_old_hours": 24}',
        "expected 10 min 20 s",
    ]


def test_what_a_plan_does_not_need_is_said_to_be_none() -> None:
    lines = plan_lines(
        {
            **PLAN,
            "copy": {"needed": False, "reason": "same region"},
            "swap": {"needed": False},
            "expected_seconds": None,
        }
    )
    assert any("none: same region" in line for line in lines)
    assert any("unknown: no earlier restore" in line for line in lines)

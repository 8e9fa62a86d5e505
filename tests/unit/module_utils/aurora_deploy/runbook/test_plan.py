from __future__ import annotations

from typing import Any

from aurora_deploy.runbook.cost import cost
from aurora_deploy.runbook.plan import plan_lines

PLAN: dict[str, Any] = {
    "source": {"text": "snapshot nightly of orders-prod", "region": "eu-west-1", "created_at": "2026-11-23"},
    "target": {"cluster": "orders-staging", "region": "us-east-1"},
    "copy": {
        "needed": True,
        "reason": "shared; not here",
        "hops": [
            {"region": "eu-west-1", "snapshot_id": "a-hop-op-1", "kms_key_arn": "arn:aws:kms:x", "reason": "shared"},
            {"region": "us-east-1", "snapshot_id": "a-copy-op-1", "kms_key_arn": None, "reason": "not here"},
        ],
    },
    "restore": {
        "cluster_id": "orders-staging-op-1",
        "port": 5432,
        "kms_key_id": None,
        "storage_type": None,
        "tags": {"a": "b"},
    },
    "instances": [
        {"id": "orders-staging-op-1-1", "class": "db.r6g.large", "tier": 1, "tags": 0},
        {"id": "orders-staging-op-1-2", "class": "db.t4g.medium", "tier": 15, "tags": 0},
    ],
    "instance_tags": [{"team": "shop"}],
    "replace": {"needed": False},
    "swap": {"needed": True, "old_cluster_id": "orders-staging-old-op-1"},
    "credentials": {"master": "managed", "keep_logins": ["etl", "report"], "member_of": {"report": ["readers"]}},
    "jobs": {"keep": ["shop.*"]},
    "masking": {
        "needed": True,
        "set": "orders-staging",
        "database": "shop",
        "checksum": "cc",
        "files": {"probes/left.sql": "bb", "010_a.sql": "aa"},
        "detectors": {"kinds": ["email", "iban"], "sample": 100, "allow": []},
    },
    "users": [
        {"access": "read_only", "secret": "report", "database": "shop", "schemas": ["shop"], "member_of": ["staff"]}
    ],
    "verify": {"database": "shop", "tables": [], "queries": []},
    "retention": {"keep_old_hours": 24},
    "expected_seconds": 620,
    "approval": {"required": False, "expires_seconds": 28800, "forbid_self": True},
    "preflight": [{"name": "quotas", "result": "warning", "detail": "DBClusters: 39 of 40 used, 1 needed"}],
    "origins": {
        "port": "target",
        "kms_key_id": "target",
        "storage_type": "target",
        "tags": "target and request",
        "instances.class": "request",
        "instances.2.tier": "request",
        "instances.*": "target",
    },
}

PRICES = {"db.r6g.large": 0.36}


def test_every_value_of_a_plan_is_told_with_its_origin() -> None:
    assert [" ".join(line.split()) for line in plan_lines(PLAN, PRICES)] == [
        "source snapshot nightly of orders-prod in eu-west-1, data of 2026-11-23",
        "copy to a-hop-op-1 in eu-west-1 under arn:aws:kms:x: shared",
        "copy to a-copy-op-1 in us-east-1, unencrypted: not here",
        "new cluster orders-staging-op-1",
        "port = 5432 (from the target)",
        "kms_key_id = none (from the target)",
        "storage_type = none (from the target)",
        'tags = {"a": "b"} (from the target and request)',
        "instance orders-staging-op-1-1",
        "class = db.r6g.large (from the request)",
        "tier = 1 (from the target)",
        'tags = {"team": "shop"} (from the target)',
        "instance orders-staging-op-1-2",
        "class = db.t4g.medium (from the request)",
        "tier = 15 (from the request)",
        'tags = {"team": "shop"} (from the target)',
        "master password kept and rotated by RDS",
        "keeps login etl",
        "keeps login report, member of readers",
        "keeps jobs shop.*",
        "masking orders-staging in shop, checksum cc",
        "010_a.sql aa",
        "probes/left.sql bb",
        "then looks for email, iban in 100 rows a table",
        "user read_only from secret report in shop, member of staff",
        'verification {"database": "shop"}',
        "swap orders-staging becomes orders-staging-old-op-1",
        'retention {"keep_old_hours": 24}',
        "expected 10 min 20 s",
        f"cost {cost(PLAN, PRICES)}",
        "approval none is required",
        "warning quotas: DBClusters: 39 of 40 used, 1 needed",
    ]


def test_what_a_plan_does_not_need_is_said_to_be_none() -> None:
    lines = plan_lines(
        {
            **PLAN,
            "source": {"text": "a clone of orders-prod", "region": "us-east-1", "created_at": None},
            "copy": {"needed": False, "reason": "same region", "hops": []},
            "masking": {"needed": False},
            "swap": {"needed": False},
            "expected_seconds": None,
            "approval": {**PLAN["approval"], "required": True},
        },
        {},
    )
    assert any("none: same region" in line for line in lines)
    assert any(line.endswith("a clone of orders-prod in us-east-1") for line in lines)
    assert any(line.split() == ["masking", "none"] for line in lines)
    assert any("unknown: no earlier restore" in line for line in lines)
    assert any("by anybody but the requester, within 8 h 00 min" in line for line in lines)


def test_that_the_target_goes_first_is_said_plainly() -> None:
    plan = {**PLAN, "replace": {"needed": True, "final_snapshot": "orders-staging-final-op-1"}}
    lines = [" ".join(line.split()) for line in plan_lines(plan, PRICES)]
    at = lines.index("REMOVES orders-staging before the new cluster is proven, after the final snapshot")
    assert lines[at + 1] == "orders-staging-final-op-1; clients have no database meanwhile"
    assert not any(line.startswith("swap") for line in lines)

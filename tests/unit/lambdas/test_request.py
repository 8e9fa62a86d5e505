"""The request: what is taken, and how every mistake is told at once."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from aurora_restore.errors import InvalidRequest
from aurora_restore.masking.detectors import DETECTORS
from aurora_restore.request import Detectors, parse, validate

LEAST: dict[str, Any] = {
    "source": {"type": "latest_snapshot", "cluster": "orders-prod"},
    "target": {"cluster": "orders-staging"},
}
FULL: dict[str, Any] = {
    "operation_id": "20261123-071450-x7k2",
    "source": {"type": "snapshot", "snapshot": "rds:orders-prod-2026-11-23", "region": "us-east-1"},
    "target": {"cluster": "orders-staging", "kms_key": None},
    "strategy": "swap",
    "instances": {"count": 1, "class": "db.r6g.large"},
    "users": [{"secret": "app", "access": "read_write", "database": "shop", "schemas": ["shop"]}],
    "masking": None,
    "verify": {
        "database": "shop",
        "tables": [{"name": "shop.orders", "min_rows": 1}],
        "freshness": [{"table": "shop.orders", "column": "placed_at", "max_age_hours": 48}],
        "queries": [{"name": "no orphans", "sql": "SELECT 0", "expect": 0}],
    },
    "retention": {"keep_old_hours": 24, "keep_copy": False},
    "approval": None,
    "dry_run": False,
}


def test_the_least_request_gets_the_documented_defaults() -> None:
    request = parse(LEAST)
    assert request.strategy == "swap"
    assert (request.retention.keep_old_hours, request.retention.keep_copy) == (24, False)
    assert (request.users, request.dry_run, request.instances.count) == ((), False, None)
    assert request.jobs.keep == ()


def test_jobs_to_keep_are_a_list_of_patterns() -> None:
    assert parse({**LEAST, "jobs": {"keep": ["shop.*"]}}).jobs.keep == ("shop.*",)
    assert validate({**LEAST, "jobs": {"keep": [""], "stop": []}}) == [
        "jobs.keep.0: Length must be between 1 and 255.",
        "jobs.stop: Unknown field.",
    ]


def test_the_full_request_is_taken() -> None:
    assert validate(FULL) == []
    request = parse(FULL)
    assert request.users[0].schemas == ("shop",)
    assert request.instances.of(1) == {"class": "db.r6g.large", "tags": {}}
    assert request.verify.tables[0] == {"name": "shop.orders", "min_rows": 1, "max_rows": None}


def test_every_mistake_is_told_at_once_by_path() -> None:
    request = {
        "source": {"type": "latest_snapshot", "region": "moon"},
        "target": {"cluster": "-Bad"},
        "users": [{"access": "admin", "secret": "s", "database": "d", "schemas": []}],
        "verify": {"tables": [{"name": "t", "min_rows": -1}]},
        "masking": {
            "sql": "x",
            "set": "../etc",
            "values": {"domain": ["a"]},
            "detectors": {"kinds": ["iris"], "sample": 0, "allow": ["email"]},
        },
        "surprise": 1,
    }
    paths = [mistake.split(":")[0] for mistake in validate(request)]
    assert paths == [
        "masking.database",
        "masking.detectors.allow.0",
        "masking.detectors.kinds.0",
        "masking.detectors.sample",
        "masking.set",
        "masking.sql",
        "masking.values.domain.value",
        "source.cluster",
        "source.region",
        "surprise",
        "target.cluster",
        "users.0.access",
        "users.0.schemas",
        "verify.database",
        "verify.tables.0.min_rows",
    ]
    with pytest.raises(InvalidRequest) as caught:
        parse(request)
    assert all(path in caught.value.message for path in paths)


def test_memberships_are_for_roles_of_the_source_and_logins_that_are_kept() -> None:
    user = {"secret": "s", "access": "read_only", "database": "d", "schemas": ["d"], "member_of": ["staff"]}
    credentials = {"keep_logins": ["report"], "member_of": {"report": ["readers"]}}
    request = parse({**LEAST, "users": [user], "credentials": credentials})
    assert request.users[0].member_of == ("staff",)
    assert request.credentials.member_of == {"report": ("readers",)}
    user["member_of"] = ["rds_superuser"]
    credentials["member_of"] = {"etl": []}
    mistakes = validate({**LEAST, "users": [user], "credentials": credentials})
    assert [mistake.split(":")[0] for mistake in mistakes] == ["credentials.member_of.etl", "users.0.member_of.0"]


def test_masking_looks_for_everything_in_a_sample_unless_told_otherwise() -> None:
    masking = parse({**LEAST, "masking": {"database": "shop"}}).masking
    assert masking is not None
    assert (masking.set, masking.checksum, masking.values) == (None, None, {})
    assert masking.detectors == Detectors(tuple(DETECTORS), 10_000, ())


@pytest.mark.parametrize("request_", [None, [], "text", 1, {}])
def test_what_is_no_request_is_refused(request_: Any) -> None:
    assert validate(request_)
    with pytest.raises(InvalidRequest):
        parse(request_)


@pytest.mark.parametrize("strategy", ["swap", "replace", "side_by_side"])
def test_every_strategy_is_taken(strategy: str) -> None:
    assert parse({**LEAST, "strategy": strategy}).strategy == strategy


ARN = "arn:aws:rds:us-east-1:999999999999:cluster-snapshot:nightly"


@pytest.mark.parametrize(
    "source",
    [
        {"type": "latest_snapshot", "cluster": "c", "account": "999999999999", "max_age_hours": 26.5},
        {"type": "snapshot", "snapshot": "rds:c-2026-11-23-03-00", "region": "eu-west-1", "max_age_hours": 1},
        {"type": "snapshot", "snapshot": ARN, "region": "us-east-1", "hop_kms_key": "alias/hops"},
        {"type": "snapshot_of_date", "cluster": "c", "date": "2026-02-28"},
        {"type": "point_in_time", "cluster": "c", "time": "2026-11-23T07:14:50Z"},
        {"type": "latest_restorable_time", "cluster": "c", "max_age_hours": 1},
        {"type": "clone", "cluster": "c"},
    ],
)
def test_every_source_type_is_taken_with_its_fields(source: dict[str, Any]) -> None:
    assert validate({**LEAST, "source": source}) == []


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ({"type": "latest_snapshot"}, "source.cluster"),
        ({"type": "snapshot"}, "source.snapshot"),
        ({"type": "snapshot", "snapshot": "s", "cluster": "c"}, "source.cluster"),
        ({"type": "snapshot", "snapshot": "s", "account": "999999999999"}, "source.account"),
        ({"type": "snapshot", "snapshot": "arn:aws:s3:::bucket"}, "source.snapshot"),
        ({"type": "snapshot", "snapshot": ARN.replace(":cluster-snapshot:", ":snapshot:")}, "source.snapshot"),
        ({"type": "snapshot", "snapshot": ARN, "region": "eu-west-1"}, "source.region"),
        ({"type": "latest_snapshot", "cluster": "c", "account": 999999999999}, "source.account"),
        ({"type": "latest_snapshot", "cluster": "c", "max_age_hours": 0}, "source.max_age_hours"),
        ({"type": "snapshot_of_date", "cluster": "c", "date": "2026-02-29"}, "source.date"),
        ({"type": "snapshot_of_date", "cluster": "c", "date": "23.11.2026"}, "source.date"),
        ({"type": "snapshot_of_date", "cluster": "c"}, "source.date"),
        ({"type": "point_in_time", "cluster": "c", "time": "2026-11-23T25:00:00Z"}, "source.time"),
        ({"type": "point_in_time", "cluster": "c", "time": "2026-11-23T07:00:00+02:00"}, "source.time"),
        ({"type": "point_in_time", "cluster": "c"}, "source.time"),
        ({"type": "clone", "cluster": "c", "time": "2026-11-23T07:14:50Z"}, "source.time"),
        ({"type": "clone", "cluster": "c", "max_age_hours": 1}, "source.max_age_hours"),
        ({"type": "tape"}, "source.type"),
        ({}, "source.type"),
    ],
)
def test_a_source_needs_the_fields_of_its_type_and_no_others(source: dict[str, Any], path: str) -> None:
    assert [mistake.split(":")[0] for mistake in validate({**LEAST, "source": source})] == [path]


def test_an_operation_id_that_makes_names_too_long_is_refused_in_advance() -> None:
    target = {"cluster": "c" * 50}
    assert any("operation_id" in mistake for mistake in validate({**LEAST, "target": target, "operation_id": "a" * 24}))
    assert validate({**LEAST, "target": {"cluster": "c" * 20}, "operation_id": "a" * 24}) == []


@pytest.mark.parametrize("operation_id", ["short", "UPPER-CASE", "double--hyphen", "-leading", "trailing-", "x" * 25])
def test_an_operation_id_has_its_shape(operation_id: str) -> None:
    assert [mistake.split(":")[0] for mistake in validate({**LEAST, "operation_id": operation_id})] == ["operation_id"]


def test_the_schema_needs_no_aws_library() -> None:
    code = "import aurora_restore.request, sys; sys.exit(any(name.startswith('boto') for name in sys.modules))"
    path = next(entry for entry in sys.path if entry.endswith("lambdas"))
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, check=False).returncode == 0

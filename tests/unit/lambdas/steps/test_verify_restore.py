"""VerifyRestore over a database with known answers: all checks run, all failures are listed, no data is shown."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from aurora_restore.db import Access, Endpoint
from aurora_restore.db.failures import LoginRefused, StatementFailed
from aurora_restore.errors import DatabaseUnreachable, VerificationFailed
from aurora_restore.steps import databases, verify_restore
from aurora_restore.verification import same
from tests.unit.lambdas.steps.conftest import Operation


class Answers:
    """A database of ten orders, the newest two hours old."""

    limits: list[float]

    def __init__(self, deviations: list[str]) -> None:
        self._deviations = deviations
        self.limits = []

    def close(self) -> None:
        pass

    def limit_statements(self, seconds: float) -> None:
        self.limits.append(seconds)

    def server_version(self) -> str:
        return "16.4"

    def count_rows(self, table: str, limit: int) -> int:
        if table != "shop.orders":
            raise StatementFailed(f"relation {table} does not exist")
        return min(limit, 10)

    def newest_age_seconds(self, table: str, column: str) -> float | None:
        return 7200.0 if table == "shop.orders" else None

    def scalar(self, sql: str) -> object:
        if sql == "broken":
            raise DatabaseUnreachable("connection reset")
        return "a secret value"

    def deviations(self, access: Access, schemas: list[str]) -> list[str]:
        return self._deviations


@pytest.fixture
def answers(operation: Operation, monkeypatch: pytest.MonkeyPatch) -> Answers:
    found = Answers([])

    def connect(endpoint: Endpoint, *_: object) -> Answers:
        if endpoint.user == "stranger":
            raise LoginRefused("refuses the login of 'stranger'")
        return found

    monkeypatch.setattr(databases, "connect", connect)
    operation.verify["database"] = "shop"
    return found


def run(operation: Operation) -> dict[str, Any]:
    return verify_restore.run(operation.context, operation.document)


def table(minimum: int, maximum: int | None = None, name: str = "shop.orders") -> dict[str, Any]:
    return {"name": name, "min_rows": minimum, "max_rows": maximum}


def failure(operation: Operation) -> str:
    with pytest.raises(VerificationFailed) as caught:
        run(operation)
    return caught.value.message


@pytest.mark.parametrize(
    ("bounds", "detail"),
    [
        (table(0), "exists"),
        (table(5), "at least 5 rows"),
        (table(10), "at least 10 rows"),
        (table(1, 10), "10 rows"),
        (table(0, 1000), "10 rows"),
    ],
)
def test_rows_within_bounds(operation: Operation, answers: Answers, bounds: dict[str, Any], detail: str) -> None:
    operation.verify["tables"] = [bounds]
    [check] = run(operation)["checks"]
    assert (check["name"], check["passed"], check["detail"]) == ("table shop.orders", True, detail)
    assert check["seconds"] >= 0


@pytest.mark.parametrize(
    ("bounds", "detail"),
    [
        (table(11), "10 rows, at least 11 expected"),
        (table(0, 9), "more than 9 rows"),
        (table(0, 0), "more than 0 rows"),
        (table(0, None, "shop.absent"), "relation shop.absent does not exist"),
    ],
)
def test_rows_out_of_bounds(operation: Operation, answers: Answers, bounds: dict[str, Any], detail: str) -> None:
    operation.verify["tables"] = [bounds]
    assert detail in failure(operation)


@pytest.mark.parametrize(
    ("name", "hours", "passes"), [("orders", 3, True), ("orders", 1.5, False), ("empty", 99, False)]
)
def test_freshness(operation: Operation, answers: Answers, name: str, hours: float, passes: bool) -> None:
    operation.verify["freshness"] = [{"table": f"shop.{name}", "column": "placed_at", "max_age_hours": hours}]
    if passes:
        assert run(operation)["checks"][0]["detail"] == "newest row is 2.0 hours old"
    else:
        assert f"freshness shop.{name}.placed_at: " in failure(operation)


def test_a_query_is_compared_and_its_value_never_shown(operation: Operation, answers: Answers) -> None:
    operation.verify["queries"] = [{"name": "q", "sql": "SELECT", "expect": "a secret value"}]
    assert "a secret value" not in json.dumps(run(operation))
    operation.verify["queries"][0]["expect"] = True
    message = failure(operation)
    assert "query q: the result differs" in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("value", "expect", "equal"),
    [
        (True, True, True),
        (1, True, True),  # MySQL's true
        (0, True, False),
        (10, 10, True),
        (Decimal("10.0"), 10, True),
        (Decimal("0.1"), 0.1, True),
        (None, None, True),
        (None, False, False),
        ("1", 1, True),
        ("t", True, False),
        ("x", "x", True),
    ],
)
def test_values_are_compared_as_json(value: object, expect: object, equal: bool) -> None:
    assert same(value, expect) is equal


def test_all_checks_run_and_all_failures_are_listed(operation: Operation, answers: Answers) -> None:
    operation.verify["tables"] = [table(11), table(1), table(0, None, "shop.absent")]
    message = failure(operation)
    assert message.startswith("2 of 3 checks failed.")
    assert "10 rows, at least 11 expected" in message
    assert "shop.absent" in message


def test_every_user_must_log_in_with_exactly_its_rights(operation: Operation, answers: Answers) -> None:
    for name in ("app", "stranger"):
        operation.secrets.put(name, {"username": name, "password": "s3cret"})
        operation.users.append({"secret": name, "access": "read_only", "database": "shop", "schemas": ["shop"]})
    message = failure(operation)
    assert message == "1 of 2 checks failed. user stranger: refuses the login of 'stranger'"
    operation.users.pop()
    assert run(operation)["checks"][0]["detail"] == "logs in with exactly read_only access"


def test_a_user_who_may_do_more_fails(operation: Operation, answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_deviations", [f"may INSERT on t{number}" for number in range(7)])
    operation.secrets.put("app", {"username": "app", "password": "s3cret"})
    operation.users.append({"secret": "app", "access": "read_only", "database": "shop", "schemas": ["shop"]})
    assert failure(operation).endswith("may INSERT on t4 and 2 more")


def test_a_connection_that_breaks_is_left_to_the_retry(operation: Operation, answers: Answers) -> None:
    operation.verify["queries"] = [{"name": "q", "sql": "broken", "expect": 1}]
    with pytest.raises(DatabaseUnreachable):
        run(operation)


def test_statements_end_before_the_function_does(operation: Operation, answers: Answers) -> None:
    operation.verify["tables"] = [table(1), table(1)]
    run(operation)
    timeout = operation.context.settings.lambda_timeout_seconds
    assert timeout > answers.limits[0] > answers.limits[1] > timeout / 2


def test_checks_that_time_leaves_no_room_for_fail_by_name(
    operation: Operation, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_restore, "budget_seconds", lambda _context: 0.5)
    operation.verify["tables"] = [table(1)]
    assert "table shop.orders: not run" in failure(operation)


def test_without_checks_the_connection_itself_is_the_proof(operation: Operation, answers: Answers) -> None:
    operation.verify["database"] = None
    result = run(operation)
    assert (result["server_version"], result["checks"]) == ("16.4", [])


def test_every_check_reaches_the_audit_trail(operation: Operation, answers: Answers) -> None:
    operation.verify["tables"] = [table(1)]
    result = run(operation)
    assert result["audit"] == {"checks": result["checks"]}

"""VerifyRestore over a database with known answers: all checks run, all failures are listed, no data is shown."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from typing import Any

import pytest

from aurora_restore.db import Access, Endpoint
from aurora_restore.db.failures import LoginRefused, StatementFailed
from aurora_restore.db.statements import Statement
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
        self.logins: list[str] = []
        self.recorded: list[tuple[str, int]] = []

    def close(self) -> None:
        pass

    def limit_statements(self, seconds: float) -> None:
        self.limits.append(seconds)

    def inherited_logins(self) -> list[str]:
        return self.logins

    def schemas(self) -> set[str]:
        return {"shop", "public"}

    def extensions(self) -> dict[str, str]:
        return {"pgcrypto": "1.3"}

    def tables(self) -> set[str]:
        return {"shop.orders", "shop.lines", "shop.empty"}

    def quoted(self, table: str, column: str) -> tuple[str, str]:
        return table, column

    def looking(self) -> AbstractContextManager[None]:
        return nullcontext()

    def execute(self, statement: Statement, _values: object) -> list[tuple[str, int]]:
        assert "ops.counts" in statement.texts[0]
        return self.recorded

    def server_version(self) -> str:
        return "16.4"

    def count_rows(self, table: str, limit: int) -> int:
        if table == "shop.empty":
            return 0
        if table not in ("shop.orders", "shop.lines"):
            raise StatementFailed(f"relation {table} does not exist")
        return min(limit, 10)

    def newest_age_seconds(self, table: str, column: str) -> float | None:
        return 7200.0 if table == "shop.orders" else None

    def scalar(self, sql: str) -> object:
        if sql == "broken":
            raise DatabaseUnreachable("connection reset")
        return "a secret value"

    def deviations(self, access: Access, schemas: list[str], member_of: Collection[str]) -> list[str]:
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
    _, check = run(operation)["checks"]
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
        assert run(operation)["checks"][1]["detail"] == "newest row is 2.0 hours old"
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
    assert message.startswith("2 of 4 checks failed.")
    assert "10 rows, at least 11 expected" in message
    assert "shop.absent" in message


def test_every_user_must_log_in_with_exactly_its_rights(operation: Operation, answers: Answers) -> None:
    for name in ("app", "stranger"):
        operation.secrets.put(name, {"username": name, "password": "s3cret"})
        operation.users.append({"secret": name, "access": "read_only", "database": "shop", "schemas": ["shop"]})
    message = failure(operation)
    assert message == "1 of 3 checks failed. user stranger: refuses the login of 'stranger'"
    operation.users.pop()
    assert run(operation)["checks"][1]["detail"] == "logs in with exactly read_only access"


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
    assert (result["server_version"], [check["name"] for check in result["checks"]]) == ("16.4", ["logins"])


def test_every_check_reaches_the_audit_trail(operation: Operation, answers: Answers) -> None:
    operation.verify["tables"] = [table(1)]
    result = run(operation)
    assert result["audit"]["checks"] == result["checks"] == operation.entry("VerifyRestore")["checks"]
    assert [(check["name"], check["passed"]) for check in result["checks"]] == [
        ("logins", True),
        ("table shop.orders", True),
    ]
    assert all(check["seconds"] >= 0 for check in result["checks"])


def test_a_failed_report_is_in_the_journal(operation: Operation, answers: Answers) -> None:
    operation.verify["tables"] = [table(11)]
    failure(operation)
    entry = operation.entry("VerifyRestore")
    assert (entry["phase"], [check["passed"] for check in entry["checks"]]) == ("failed", [True, False])


def test_a_login_that_nobody_listed_fails(operation: Operation, answers: Answers) -> None:
    answers.logins = ["report", "old"]
    operation.credentials["keep_logins"] = ["report"]
    assert failure(operation) == "1 of 1 checks failed. logins: may log in and should not: old"


def test_schemas_and_extensions_must_be_there(operation: Operation, answers: Answers) -> None:
    operation.verify.update(schemas=["shop"], extensions=["pgcrypto"])
    assert [check["detail"] for check in run(operation)["checks"][1:]] == ["exists", "version 1.3"]
    operation.verify.update(schemas=["sales"], extensions=["postgis"])
    message = failure(operation)
    assert "schema sales: there is no such schema" in message
    assert "extension postgis: is not installed" in message


def test_a_pattern_holds_every_table_to_the_bounds(operation: Operation, answers: Answers) -> None:
    operation.verify["tables"] = [table(0, None, "shop.*")]
    assert run(operation)["checks"][1]["detail"] == "3 tables"
    operation.verify["tables"] = [table(1, None, "shop.*"), table(0, None, "crm.*")]
    message = failure(operation)
    assert "table shop.*: 1 of 3 tables: shop.empty: 0 rows, at least 1 expected" in message
    assert "table crm.*: there is no such table" in message


@pytest.mark.parametrize(
    ("recorded", "tolerance", "passes"), [(10, 0, True), (9, 0, False), (9, 12, True), (12, 5, False)]
)
def test_rows_are_held_against_what_the_source_recorded(
    operation: Operation, answers: Answers, recorded: int, tolerance: float, passes: bool
) -> None:
    answers.recorded = [("shop.orders", recorded)]
    operation.verify["baseline"] = {"table": "ops.counts", "tolerance_percent": tolerance}
    if passes:
        names = [check["name"] for check in run(operation)["checks"]]
        assert names == ["logins", "baseline ops.counts", "baseline shop.orders"]
    else:
        assert failure(operation).startswith("1 of 3 checks failed. baseline shop.orders: ")


def test_a_record_without_counts_fails(operation: Operation, answers: Answers) -> None:
    operation.verify["baseline"] = {"table": "ops.counts", "tolerance_percent": 0}
    assert "baseline ops.counts: no counts are recorded in it" in failure(operation)


def test_a_thousand_checks_leave_the_document_small(operation: Operation, answers: Answers) -> None:
    operation.verify["tables"] = [table(1) for _ in range(1000)]
    result = run(operation)
    assert (result["passed"], len(result["checks"]), len(result["audit"]["checks"])) == (1001, 20, 1001)
    operation.verify["tables"] = [table(11) for _ in range(1000)]
    assert failure(operation).endswith(" | and 980 more")

"""Which refusals of a server are worth a retry, and that data never gets into a message."""

from __future__ import annotations

import pymysql
import pytest

from aurora_restore.db import Endpoint, mysql, postgres
from aurora_restore.db.failures import DatabaseMissing, LoginRefused, StatementFailed, StatementTimedOut, TlsFailed
from aurora_restore.errors import DatabaseRefused, DatabaseUnreachable, RestoreError

PLACE = Endpoint("aurora-postgresql", "db.example", 5432, "shop", "app", "s3cret")


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("57P03", DatabaseUnreachable),  # starting up
        ("57P01", DatabaseUnreachable),  # shutting down
        ("53300", DatabaseUnreachable),  # too many connections
        ("08006", DatabaseUnreachable),
        ("28P01", LoginRefused),
        ("28000", LoginRefused),
        ("3D000", DatabaseMissing),
        ("57014", StatementTimedOut),
        ("42501", StatementFailed),
        ("22P02", StatementFailed),
    ],
)
def test_postgres_states(state: str, kind: type[RestoreError]) -> None:
    error = postgres._typed({"C": state, "M": "text of the server"}, PLACE)
    assert type(error) is kind
    assert isinstance(error, DatabaseRefused) is (kind is not DatabaseUnreachable)


@pytest.mark.parametrize(("state", "shown"), [("42P01", True), ("22P02", False), ("23505", False), ("P0001", False)])
def test_only_texts_that_name_objects_are_quoted(state: str, shown: bool) -> None:
    error = postgres._typed({"C": state, "M": "text of the server"}, PLACE)
    assert ("text of the server" in str(error)) is shown
    assert state in str(error)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (1040, DatabaseUnreachable),  # too many connections
        (1053, DatabaseUnreachable),  # shutting down
        (2013, DatabaseUnreachable),  # lost
        (2026, TlsFailed),
        (1049, DatabaseMissing),
        (3024, StatementTimedOut),
        (1969, StatementTimedOut),
        (1317, StatementTimedOut),  # KILL QUERY
        (1062, StatementFailed),
    ],
)
def test_mysql_numbers(number: int, kind: type[RestoreError]) -> None:
    error = mysql._typed(pymysql.MySQLError(number, "Duplicate entry 'a@example.com'"), PLACE)
    assert type(error) is kind
    assert "a@example.com" not in str(error)


def test_an_endpoint_hides_its_password() -> None:
    assert "s3cret" not in f"{PLACE} {PLACE!r}"

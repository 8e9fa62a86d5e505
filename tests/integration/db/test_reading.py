"""What verification reads, on both engines: the same questions, the same answers, and nothing can be written."""

from __future__ import annotations

import pytest

from aurora_restore.db import Database
from aurora_restore.db.failures import StatementFailed
from tests.integration.db.conftest import Connect
from tests.integration.db.servers import Server

# The master owns what it reads, as on Aurora: only the read-only transaction keeps it from writing.
POSTGRES = """
DROP SCHEMA IF EXISTS reading CASCADE; CREATE SCHEMA reading AUTHORIZATION shopmaster; SET ROLE shopmaster;
CREATE TABLE reading.orders (id int, placed_at timestamptz, day date, stamp timestamp);
CREATE TABLE reading.empty (id int, placed_at timestamptz);
INSERT INTO reading.orders SELECT n, now() - interval '2 hours',
(now() AT TIME ZONE 'UTC')::date, (now() AT TIME ZONE 'UTC') - interval '3 hours'
FROM generate_series(1, 10) n;
"""
MARIADB = """
CREATE DATABASE IF NOT EXISTS shop;
DROP DATABASE IF EXISTS reading; CREATE DATABASE reading; USE reading; SET time_zone = '+00:00';
CREATE TABLE orders (id int, placed_at timestamp NULL, day date, stamp datetime);
CREATE TABLE empty (id int, placed_at timestamp NULL);
INSERT INTO orders SELECT seq, now() - interval 2 hour, utc_date(), utc_timestamp() - interval 3 hour FROM seq_1_to_10;
"""


@pytest.fixture
def database(server: Server, open_database: Connect) -> Database:
    """Each server in turn, with ten orders."""
    if server.engine == "aurora-mysql":
        server.admin(MARIADB)
    else:
        server.admin(POSTGRES, "shop")
    return open_database(server)


def test_schemas_and_tables_of_users_are_listed_and_the_servers_own_are_not(database: Database) -> None:
    assert "reading" in database.schemas()
    assert not database.schemas() & {"pg_catalog", "information_schema", "mysql", "performance_schema", "sys"}
    assert {"reading.orders", "reading.empty"} <= database.tables()
    assert not any(table.startswith(("pg_catalog.", "mysql.")) for table in database.tables())
    assert set(database.extensions()) <= {"plpgsql"}


@pytest.mark.parametrize(("limit", "rows"), [(0, 0), (3, 3), (10, 10), (1000, 10)])
def test_rows_are_counted_up_to_the_limit(database: Database, limit: int, rows: int) -> None:
    assert database.count_rows("reading.orders", limit) == rows


def test_a_missing_table_is_named(database: Database) -> None:
    with pytest.raises(StatementFailed, match=r"absent.*exist"):
        database.count_rows("reading.absent", 1)


@pytest.mark.parametrize(("column", "hours"), [("placed_at", 2), ("stamp", 3)])
def test_the_age_of_the_newest_row_is_in_seconds_whatever_the_type(database: Database, column: str, hours: int) -> None:
    age = database.newest_age_seconds("reading.orders", column)
    assert age == pytest.approx(hours * 3600, abs=60)


def test_a_date_is_as_old_as_its_midnight_in_utc(database: Database) -> None:
    age = database.newest_age_seconds("reading.orders", "day")
    assert age is not None
    assert 0 <= age < 86400 + 60


def test_an_empty_table_has_no_age(database: Database) -> None:
    assert database.newest_age_seconds("reading.empty", "placed_at") is None


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT count(*) FROM reading.orders", 10),
        ("SELECT count(*) = 10 FROM reading.orders -- :x %s $1", True),
        ("SELECT 'a%b:c'", "a%b:c"),
        ("SELECT NULL", None),
    ],
)
def test_a_statement_of_the_request_runs_as_it_is_written(database: Database, sql: str, value: object) -> None:
    assert database.scalar(sql) == value


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM reading.orders",
        "DROP TABLE reading.orders",
        "SELECT 1; DELETE FROM reading.orders",
        "COMMIT; DELETE FROM reading.orders",
        "CREATE TABLE reading.more (id int)",
    ],
)
def test_a_statement_of_the_request_can_write_nothing(database: Database, sql: str) -> None:
    with pytest.raises(StatementFailed):
        database.scalar(sql)
    assert database.count_rows("reading.orders", 100) == 10
    assert "reading.more" not in database.tables()


def test_more_than_one_value_is_refused(database: Database) -> None:
    for sql in ("SELECT id FROM reading.orders", "SELECT 1, 2", "SELECT id FROM reading.empty"):
        with pytest.raises(StatementFailed, match="one row with one column"):
            database.scalar(sql)


def test_a_long_statement_is_stopped_by_the_server(database: Database) -> None:
    database.limit_statements(0.3)
    # MySQL's sleep() ends early without an error: something that works is needed.
    slow = f"SELECT count(*) FROM {', '.join(f'reading.orders {alias}' for alias in 'abcdefghi')}"
    with pytest.raises(StatementFailed, match="statement timeout"):
        database.scalar(slow)
    assert database.scalar("SELECT 1") == 1


def test_an_error_does_not_quote_data(database: Database) -> None:
    postgres = "plpgsql" in database.extensions()
    converting = (
        "SELECT CAST('secret-value' AS integer)" if postgres else "SELECT extractvalue(1, concat('~', 'secret-value'))"
    )
    with pytest.raises(StatementFailed) as caught:
        database.scalar(converting)
    assert "secret-value" not in str(caught.value)
    assert caught.value.__cause__ is None

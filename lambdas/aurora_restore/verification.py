"""The checks of a restored database: each says what it saw, never any data."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from aurora_restore.db import Access, Database
from aurora_restore.db.model import login_name
from aurora_restore.db.statements import only

_SHOWN = 5  # deviations named in a detail; the rest is counted


class CheckFailed(Exception):
    """The restored database is not as the request wants it; the text says how."""


def check_schema(database: Database, name: str) -> str:
    """The schema `name` exists."""
    if name not in database.schemas():
        raise CheckFailed("there is no such schema")
    return "exists"


def check_extension(database: Database, name: str) -> str:
    """The extension `name` is installed."""
    version = database.extensions().get(name)
    if version is None:
        raise CheckFailed("is not installed")
    return f"version {version}"


def check_table(database: Database, table: Mapping[str, Any]) -> str:
    """`name` exists and has at least `min_rows` and at most `max_rows` rows. Counts no further than the bounds need."""
    return _bounded(database, table["name"], int(table["min_rows"]), table["max_rows"])


def check_tables(database: Database, table: Mapping[str, Any]) -> str:
    """Every table whose name fits the pattern `name` (`shop.*`) is within the bounds, and there is at least one."""
    names = sorted(name for name in database.tables() if fnmatchcase(name, table["name"]))
    if not names:
        raise CheckFailed("there is no such table")
    failed = []
    for name in names:
        try:
            check_table(database, {**table, "name": name})
        except CheckFailed as error:
            failed.append(f"{name}: {error}")
    if failed:
        more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
        raise CheckFailed(f"{len(failed)} of {len(names)} tables: {'; '.join(failed[:_SHOWN])}{more}")
    return f"{len(names)} tables"


def recorded_counts(database: Database, engine: str, baseline: Mapping[str, Any]) -> dict[str, int]:
    """The rows that each table had when the source recorded them, by the table's name.

    Raises CheckFailed where nothing was recorded, StatementFailed for a table that cannot be read.
    """
    table, _ = database.quoted(baseline["table"], "row_count")
    with database.looking():
        rows = database.execute(only(engine, f"SELECT table_name, row_count FROM {table}"), {})
    if not rows:
        raise CheckFailed("no counts are recorded in it")
    return {str(name): int(count) for name, count in rows}


def check_recorded(database: Database, name: str, count: int, tolerance_percent: float) -> str:
    """`name` has the rows that were recorded, give or take the tolerance."""
    slack = count * tolerance_percent / 100
    return f"{_bounded(database, name, math.ceil(count - slack), math.floor(count + slack))}, {count} recorded"


def _bounded(database: Database, name: str, low: int, high: int | None) -> str:
    limit = low if high is None else int(high) + 1
    rows = database.count_rows(name, limit)
    if rows < low:
        raise CheckFailed(f"{rows} rows, at least {low} expected")
    if high is not None and rows > high:
        raise CheckFailed(f"more than {high} rows")
    return "exists" if limit == 0 else f"at least {rows} rows" if rows == limit else f"{rows} rows"


def check_freshness(database: Database, freshness: Mapping[str, Any]) -> str:
    """The newest `column` of `table` is at most `max_age_hours` old."""
    age = database.newest_age_seconds(freshness["table"], freshness["column"])
    if age is None:
        raise CheckFailed("no row has a time")
    hours = age / 3600
    if hours > freshness["max_age_hours"]:
        raise CheckFailed(f"newest row is {hours:.1f} hours old, at most {freshness['max_age_hours']:g} allowed")
    return f"newest row is {hours:.1f} hours old"


def check_query(database: Database, query: Mapping[str, Any]) -> str:
    """`sql` returns one value equal to `expect`."""
    if not same(database.scalar(query["sql"]), query["expect"]):
        raise CheckFailed("the result differs from what is expected")
    return "the result is as expected"


def check_user(database: Database, access: Access, schemas: list[str], member_of: Collection[str]) -> str:
    """The user of this connection may do what its access level and its roles say, and no more.

    Nothing is written to find out.
    """
    found = database.deviations(access, schemas, member_of)
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise CheckFailed(f"{'; '.join(found[:_SHOWN])}{more}")
    return f"logs in with exactly {access} access" + (f" and as {', '.join(sorted(member_of))}" if member_of else "")


def check_logins(database: Database, allowed: Collection[str]) -> str:
    """Nobody may log in but the master and `allowed`."""
    others = [name for name in database.inherited_logins() if login_name(name) not in allowed]
    if others:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        raise CheckFailed(f"may log in and should not: {', '.join(others[:_SHOWN])}{more}")
    return "nobody else may log in"


def same(value: object, expect: object) -> bool:
    """Whether a database's value is the JSON value `expect`: numbers by size (MySQL's 1 is true), the rest by text."""
    numbers = (bool, int, float, Decimal)
    if isinstance(value, numbers) and isinstance(expect, numbers):
        return value == (Decimal(str(expect)) if isinstance(value, Decimal) and isinstance(expect, float) else expect)
    if value is None or expect is None:
        return value is expect
    return str(value) == str(expect)

"""The checks of a restored database: each says what it saw, never any data."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from aurora_restore.db import Access, Database

_SHOWN = 5  # deviations named in a detail; the rest is counted


class CheckFailed(Exception):
    """The restored database is not as the request wants it; the text says how."""


def check_table(database: Database, table: Mapping[str, Any]) -> str:
    """`name` exists and has at least `min_rows` and at most `max_rows` rows. Counts no further than the bounds need."""
    low, high = int(table["min_rows"]), table["max_rows"]
    limit = low if high is None else int(high) + 1
    rows = database.count_rows(table["name"], limit)
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


def check_user(database: Database, access: Access, schemas: list[str]) -> str:
    """The user of this connection may do what its access level says, and no more. Nothing is written to find out."""
    found = database.deviations(access, schemas)
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise CheckFailed(f"{'; '.join(found[:_SHOWN])}{more}")
    return f"logs in with exactly {access} access"


def same(value: object, expect: object) -> bool:
    """Whether a database's value is the JSON value `expect`: numbers by size (MySQL's 1 is true), the rest by text."""
    numbers = (bool, int, float, Decimal)
    if isinstance(value, numbers) and isinstance(expect, numbers):
        return value == (Decimal(str(expect)) if isinstance(value, Decimal) and isinstance(expect, float) else expect)
    if value is None or expect is None:
        return value is expect
    return str(value) == str(expect)

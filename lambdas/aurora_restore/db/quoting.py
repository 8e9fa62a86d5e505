"""Names and literals in SQL that cannot carry parameters (`GRANT`, `ALTER ROLE`, ...): one function each."""

from __future__ import annotations

_POSTGRES_NAME_BYTES = 63  # NAMEDATALEN - 1: the server would cut a longer name off without an error
_MYSQL_NAME_CHARACTERS = 64


def postgres_name(name: str) -> str:
    """`name` as a quoted PostgreSQL identifier. Raises ValueError for a name that the server cannot hold unchanged."""
    _check(name)
    if len(name.encode()) > _POSTGRES_NAME_BYTES:
        raise ValueError(f"the name {name!r} is longer than PostgreSQL's {_POSTGRES_NAME_BYTES} bytes")
    return '"' + name.replace('"', '""') + '"'


def postgres_literal(text: str) -> str:
    """`text` as a PostgreSQL string, whatever `standard_conforming_strings` says. Raises ValueError for a NUL."""
    if "\0" in text:
        raise ValueError("a PostgreSQL string cannot hold a NUL character")
    quoted = "'" + text.replace("'", "''").replace("\\", "\\\\") + "'"
    return " E" + quoted if "\\" in text else quoted


def mysql_name(name: str) -> str:
    """`name` as a quoted MySQL identifier. Raises ValueError for a name that the server cannot hold."""
    _check(name)
    if len(name) > _MYSQL_NAME_CHARACTERS:
        raise ValueError(f"the name {name!r} is longer than MySQL's {_MYSQL_NAME_CHARACTERS} characters")
    return "`" + name.replace("`", "``") + "`"


def mysql_schema_pattern(name: str) -> str:
    """`name` as GRANT takes a schema: there `_` and `%` are wildcards, so `shop_eu` unescaped also means `shopXeu`."""
    _check(name)
    return mysql_name(name.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%"))


def split_table(name: str, default_schema: str) -> tuple[str, str]:
    """`("shop", "orders")` of `shop.orders`; a name without a dot stands in `default_schema`."""
    schema, dot, table = name.partition(".")
    return (schema, table) if dot else (default_schema, schema)


def _check(name: str) -> None:
    if not name or "\0" in name:
        raise ValueError("a name in SQL needs at least one character and no NUL")

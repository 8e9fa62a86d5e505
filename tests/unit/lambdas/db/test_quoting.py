"""Names and literals: what goes in comes out of the server unchanged, or does not go in."""

from __future__ import annotations

import pytest

from aurora_restore.db import quoting


@pytest.mark.parametrize(
    ("name", "quoted"),
    [("app", '"app"'), ('a"b', '"a""b"'), ("a'; --", '"a\'; --"'), ("é" * 31, '"' + "é" * 31 + '"')],
)
def test_postgres_names(name: str, quoted: str) -> None:
    assert quoting.postgres_name(name) == quoted


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64, "é" * 32])
def test_names_postgres_would_change_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        quoting.postgres_name(name)


@pytest.mark.parametrize(("text", "quoted"), [("a", "'a'"), ("a'b", "'a''b'"), ("a\\'b", " E'a\\\\''b'"), ("", "''")])
def test_postgres_literals(text: str, quoted: str) -> None:
    assert quoting.postgres_literal(text) == quoted


def test_a_nul_is_no_literal() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quoting.postgres_literal("a\0")


@pytest.mark.parametrize(("name", "quoted"), [("shop", "`shop`"), ("a`b", "`a``b`"), ("é" * 64, "`" + "é" * 64 + "`")])
def test_mysql_names(name: str, quoted: str) -> None:
    assert quoting.mysql_name(name) == quoted


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 65])
def test_names_mysql_cannot_hold_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        quoting.mysql_name(name)


def test_a_schema_in_a_grant_has_no_wildcards() -> None:
    assert quoting.mysql_schema_pattern("shop_e%u") == r"`shop\_e\%u`"


@pytest.mark.parametrize(
    ("name", "parts"), [("shop.orders", ("shop", "orders")), ("orders", ("public", "orders")), ("a.b.c", ("a", "b.c"))]
)
def test_a_table_is_split_from_its_schema(name: str, parts: tuple[str, str]) -> None:
    assert quoting.split_table(name, "public") == parts

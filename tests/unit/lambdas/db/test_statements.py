"""Taking SQL text apart: what ends a statement, what is a placeholder, and what only looks like one."""

from __future__ import annotations

import pytest

from aurora_restore.db.statements import NotSql, only, split

POSTGRES, MYSQL = "aurora-postgresql", "aurora-mysql"


@pytest.mark.parametrize(
    ("engine", "sql", "count"),
    [
        (POSTGRES, "SELECT 1; SELECT 2", 2),
        (POSTGRES, "SELECT ';', \"a;b\", E'it\\';s', $$ ; $$, $t$ $$ ; $t$ -- ;\n/* ; */", 1),
        (POSTGRES, "SELECT 'it''s;'; -- the end", 1),
        (POSTGRES, "-- only a comment\n;;", 0),
        (POSTGRES, "SELECT a$b FROM t; SELECT c$b", 2),
        (MYSQL, "SELECT 'it\\';s', \"a;b\", `c;d` # ;\n/* ; */", 1),
        (MYSQL, "# only a comment; with a quote's end", 0),
    ],
)
def test_semicolons_end_statements_but_not_inside_quotes_and_comments(engine: str, sql: str, count: int) -> None:
    assert len(split(engine, sql)) == count


@pytest.mark.parametrize(
    ("engine", "sql", "names"),
    [
        (POSTGRES, "SELECT :a, x::text, ':b', :a, y[1:2], \":c\" -- :d", ("a", "a")),
        (POSTGRES, "SELECT 1 WHERE t = '07:14:50' AND a>:low", ("low",)),
        (MYSQL, "SET @x := 1, y = ':b', z = :size_1", ("size_1",)),
    ],
)
def test_placeholders_are_names_after_a_colon(engine: str, sql: str, names: tuple[str, ...]) -> None:
    assert only(engine, sql).names == names


def test_the_texts_around_the_placeholders_are_the_statement() -> None:
    statement = only(POSTGRES, "UPDATE t SET a = :a WHERE b = :b;")
    assert statement.texts == ("UPDATE t SET a = ", " WHERE b = ", "")


def test_a_statement_knows_its_line_and_its_first_word() -> None:
    first, second = split(POSTGRES, "-- why\n\nupdate t SET a = 1;\n\n/* and */ Delete FROM t")
    assert (first.keyword, second.keyword, second.line) == ("UPDATE", "DELETE", 5)


@pytest.mark.parametrize("sql", ["SELECT 'a", 'SELECT "a', "SELECT 1 /* a", "SELECT 'a''"])
@pytest.mark.parametrize("engine", [POSTGRES, MYSQL])
def test_what_never_ends_is_refused_without_repeating_it(engine: str, sql: str) -> None:
    with pytest.raises(NotSql, match="never ends, from line 2") as caught:
        split(engine, f"SELECT 'secret';\n{sql}")
    assert "secret" not in str(caught.value)

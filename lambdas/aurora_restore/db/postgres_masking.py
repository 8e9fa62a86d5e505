"""What masking asks of PostgreSQL: the rights of all owners, bound placeholders, and text columns to look through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from aurora_restore.db.failures import StatementFailed
from aurora_restore.db.model import TextTable
from aurora_restore.db.postgres_rights import Writer
from aurora_restore.db.quoting import postgres_name
from aurora_restore.db.statements import Statement
from aurora_restore.errors import RestoreError

_PAGE = 5000  # rows in memory at a time
_SPARE = 4  # pages differ in how many rows they hold: sample more of them, and stop at the wanted number of rows
_TYPES = {str: "::text", int: "::bigint", float: "::float8", bool: "::boolean"}
# Owners whose rights the connection lacks, without PostgreSQL's own roles: nobody may join pg_database_owner.
_OWNERS = (
    "SELECT r.rolname, current_setting('server_version_num')::int >= 160000 FROM pg_roles r WHERE r.oid IN ("
    "SELECT datdba FROM pg_database WHERE datname = current_database() "
    "UNION SELECT nspowner FROM pg_namespace WHERE nspname !~ '^(pg_.*|information_schema)$' "
    "UNION SELECT c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname !~ '^(pg_.*|information_schema)$') "
    "AND NOT r.rolsuper AND r.rolname !~ '^pg_' AND NOT pg_has_role(r.oid, 'USAGE') ORDER BY 1"
)
# Strings of any name, and what holds them: JSON, XML, hstore, arrays. A partition is looked at through its parent.
# Members of extensions (pg_cron, apg_plan_mgmt, topology) are the extension's, and the master may not read all of them.
_TEXT_TABLES = (
    "SELECT n.nspname, c.relname, array_agg(a.attname ORDER BY a.attnum), greatest(max(c.reltuples), 0)::bigint "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid "
    "JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type e ON e.oid = t.typelem "
    "LEFT JOIN pg_type b ON b.oid = t.typbasetype "
    "WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND n.nspname !~ '^(pg_.*|information_schema)$' "
    "AND a.attnum > 0 AND NOT a.attisdropped AND (t.typcategory = 'S' "
    "OR coalesce(b.typname, t.typname) IN ('json', 'jsonb', 'xml', 'hstore') "
    "OR t.typcategory = 'A' AND (e.typcategory = 'S' OR e.typname IN ('json', 'jsonb', 'xml', 'hstore'))) "
    "AND (c.relkind <> 'm' OR c.relispopulated) AND NOT EXISTS "
    "(SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') "
    "GROUP BY n.nspname, c.relname ORDER BY 1, 2"
)


@contextmanager
def changing(session: Writer) -> Iterator[None]:
    """A transaction with the rights of the owners in the database: Aurora's master is no superuser."""
    with session.transaction():
        joined = _join_owners(session)
        yield
        for revoke in joined:
            session.run(revoke)


@contextmanager
def looking(session: Writer) -> Iterator[None]:
    """The same, but nothing can be written: neither by a probe, nor by what a probe calls."""
    session.run("BEGIN")
    try:
        _join_owners(session)
        session.run("SET TRANSACTION READ ONLY")
        yield
    finally:
        with suppress(RestoreError):  # a broken connection has rolled back already
            session.run("ROLLBACK")  # and with it the memberships


def execute(session: Writer, statement: Statement, values: Mapping[str, object]) -> list[list[Any]]:
    """Run one statement; `:name` becomes `$n`, bound by the protocol itself.

    With its type, because not every place tells it (`concat(:a, :b)`).
    """
    numbers: dict[str, int] = {}
    sql = statement.texts[0]
    for name, text in zip(statement.names, statement.texts[1:], strict=True):
        sql += f"${numbers.setdefault(name, len(numbers) + 1)}{_TYPES.get(type(values[name]), '')}{text}"
    return session.run(sql, *(values[name] for name in numbers))


def text_tables(session: Writer) -> list[TextTable]:
    """Tables and materialized views with columns for text. Foreign tables are somebody else's data."""
    return [TextTable(schema, name, tuple(columns), rows) for schema, name, columns, rows in session.run(_TEXT_TABLES)]


def text_values(session: Writer, table: TextTable, rows: int | None) -> Iterator[tuple[str | None, ...]]:
    """About `rows` rows from pages all over the table where it is much larger than that, else its first ones."""
    columns = ", ".join(f"{postgres_name(column)}::text" for column in table.columns)
    sql = f"SELECT {columns} FROM {postgres_name(table.schema)}.{postgres_name(table.name)}"
    if rows is not None:
        if table.rows > rows * _SPARE:
            sql += f" TABLESAMPLE SYSTEM ({min(100.0, 100.0 * _SPARE * rows / table.rows):.6f})"
        sql += f" LIMIT {int(rows)}"
    session.run(f"DECLARE aurora_restore_look NO SCROLL CURSOR FOR {sql}")
    while page := session.run(f"FETCH {_PAGE} FROM aurora_restore_look"):
        yield from map(tuple, page)
    session.run("CLOSE aurora_restore_look")


def _join_owners(session: Writer) -> list[str]:
    """Join the owners that the master may join, inside the caller's transaction; returns what ends that.

    Where it may not (PostgreSQL 16 and newer, without ADMIN OPTION), the statement that needs the right will say so.
    """
    joined = []
    for owner, has_options in session.run(_OWNERS):
        name = postgres_name(owner)
        session.run("SAVEPOINT join_owner")
        try:
            session.run(f"GRANT {name} TO CURRENT_USER" + (" WITH INHERIT TRUE, SET TRUE" if has_options else ""))
        except StatementFailed:
            session.run("ROLLBACK TO SAVEPOINT join_owner")
        else:
            joined.append(f"REVOKE {name} FROM CURRENT_USER" + (" GRANTED BY CURRENT_USER" if has_options else ""))
        session.run("RELEASE SAVEPOINT join_owner")
    return joined

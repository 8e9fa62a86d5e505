"""What masking asks of MySQL: transactions that DDL ends, bound placeholders, and text columns to look through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any

from aurora_restore.db.model import TextTable
from aurora_restore.db.mysql_session import Guarded, Session
from aurora_restore.db.quoting import mysql_name
from aurora_restore.db.statements import Statement
from aurora_restore.errors import RestoreError

_GRACE_SECONDS = 1.0  # where the server stops a statement by itself, it shall be the first to
_TEXT_TABLES = (
    "SELECT c.table_schema, c.table_name, c.column_name, COALESCE(t.table_rows, 0) FROM information_schema.columns c "
    "JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name "
    "WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN %s "
    "AND c.data_type IN ('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'json') "
    "ORDER BY c.table_schema, c.table_name, c.ordinal_position"
)


@contextmanager
def changing(session: Session) -> Iterator[None]:
    """A transaction; the master's privileges are the server's, so there is nobody to act for."""
    session.run("START TRANSACTION")
    try:
        yield
    except BaseException:
        with suppress(RestoreError):  # a broken connection has rolled back already
            session.run("ROLLBACK")
        raise
    session.run("COMMIT")


def execute(session: Guarded, statement: Statement, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
    """Run one statement, `:name` bound by the driver, and end it when its time is over.

    MySQL's own statement timeout (max_execution_time) is for SELECT only; anything else is ended with KILL QUERY, which
    a user may send to its own connections.
    """
    sql = statement.texts[0]
    if statement.names:
        sql = "%s".join(text.replace("%", "%%") for text in statement.texts)
    guard = Timer(session.limit + _GRACE_SECONDS, _kill, [session, session.thread_id()])
    guard.daemon = True
    guard.start()
    try:
        return session.run(sql, *(values[name] for name in statement.names))
    finally:
        guard.cancel()


def text_tables(session: Session, own_schemas: tuple[str, ...]) -> list[TextTable]:
    """Tables with columns for text."""
    found: dict[tuple[str, str], list[str]] = {}
    rows: dict[tuple[str, str], int] = {}
    for schema, table, column, estimate in session.run(_TEXT_TABLES, own_schemas):
        found.setdefault((schema, table), []).append(column)
        rows[schema, table] = int(estimate)
    return [TextTable(*key, tuple(columns), rows[key]) for key, columns in found.items()]


def text_query(table: TextTable, rows: int | None) -> str:
    """SELECT of about `rows` rows: drawn from all over the table where it is much larger than that."""
    columns = ", ".join(map(mysql_name, table.columns))
    sql = f"SELECT {columns} FROM {mysql_name(table.schema)}.{mysql_name(table.name)}"
    if rows is None:
        return sql
    if table.rows > rows * 2:  # the estimate of InnoDB may be off by half
        sql += f" WHERE RAND() < {2 * rows / table.rows:.9f}"
    return f"{sql} LIMIT {int(rows)}"


def _kill(session: Guarded, thread: int) -> None:
    with suppress(RestoreError):
        other = session.another()
        other.execute(Statement((f"KILL QUERY {int(thread)}",)), {})
        other.close()

"""Aurora MySQL through PyMySQL, and MariaDB, which stands in for it: what differs is in `mysql_session.DIALECTS`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import pymysql
from pymysql.constants import CR, ER
from pymysql.cursors import SSCursor

from aurora_restore.db import mysql_accounts, mysql_activity, mysql_masking
from aurora_restore.db.failures import DatabaseMissing, LoginRefused, StatementFailed, StatementTimedOut, TlsFailed
from aurora_restore.db.model import Access, Activity, Database, Endpoint, TextTable, Wire
from aurora_restore.db.mysql_session import DIALECTS
from aurora_restore.db.quoting import mysql_name, split_table
from aurora_restore.db.statements import Statement
from aurora_restore.errors import DatabaseUnreachable, RestoreError

_OWN_SCHEMAS = ("information_schema", "mysql", "performance_schema", "sys")
_NOT_NOW = (ER.CON_COUNT_ERROR, ER.SERVER_SHUTDOWN, CR.CR_CONN_HOST_ERROR, CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST)
_LOGIN = (ER.ACCESS_DENIED_ERROR, 1698, 3118, 4151, 1862)  # also: no password plugin, locked (MySQL, MariaDB), expired
_TIMEOUTS = (3024, 1969, 1317)  # ER_QUERY_TIMEOUT of MySQL, ER_STATEMENT_TIMEOUT of MariaDB, ended by KILL QUERY
# Errors whose text names objects and rules, never data.
_SAFE = (
    ER.PARSE_ERROR,
    ER.NO_SUCH_TABLE,
    ER.BAD_FIELD_ERROR,
    ER.TABLEACCESS_DENIED_ERROR,
    ER.COLUMNACCESS_DENIED_ERROR,
    ER.SPECIFIC_ACCESS_DENIED_ERROR,
    ER.DBACCESS_DENIED_ERROR,
    ER.ACCESS_DENIED_ERROR,
    1792,  # ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
)


class MysqlDatabase:
    """`Database` on Aurora MySQL 3 (MySQL 8.0.17 and newer) and MariaDB 10.6 and newer. A schema is a database here."""

    def __init__(self, endpoint: Endpoint, wire: Wire) -> None:
        self.endpoint = endpoint
        self._log_in = wire.log_in
        self._connection = pymysql.Connection(
            host=endpoint.host,
            port=endpoint.port,
            user=endpoint.user,
            password=endpoint.password.encode(),  # PyMySQL would encode text as Latin-1  # type: ignore[arg-type]
            database=endpoint.database or None,
            charset="utf8mb4",
            ssl=wire.tls,
            defer_connect=True,
            autocommit=True,
            read_timeout=wire.socket.gettimeout(),
            write_timeout=wire.socket.gettimeout(),
            program_name="aurora-restore",
        )
        with self._typed_errors():
            try:
                self._connection.connect(wire.socket)
            except pymysql.MySQLError as error:
                if error.args and error.args[0] in _LOGIN:  # the same numbers mean other things later on
                    raise LoginRefused(
                        f"{endpoint.host}:{endpoint.port} refuses the login of {endpoint.user!r}."
                    ) from None
                raise
        self.dialect = DIALECTS["MariaDB" if "MariaDB" in self._version() else "MySQL"]
        self.run("SET SESSION time_zone = '+00:00'")
        self.limit_statements(wire.statement_seconds)

    def close(self) -> None:
        with suppress(pymysql.Error, OSError):
            self._connection.close()

    def run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of one statement whose `%s` are `values`; without values `%` stands for itself."""
        with self._typed_errors(), self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def limit_statements(self, seconds: float) -> None:
        self.limit = seconds
        self.run(self.dialect.statement_timeout, int(seconds * 1000) if self.dialect.milliseconds else seconds)

    def server_version(self) -> str:
        return self._version().split("-")[0]

    def ensure_login(self, user: str, password: str, member_of: Collection[str] = ()) -> list[str]:
        return mysql_accounts.ensure_login(self, user, password)  # ensure_grants() sees to what it is a member of

    def ensure_grants(
        self, user: str, access: Access, schemas: Collection[str], member_of: Collection[str] = ()
    ) -> list[str]:
        return mysql_accounts.ensure_grants(self, user, access, schemas, member_of)

    def ensure_memberships(self, user: str, member_of: Collection[str]) -> list[str]:
        return mysql_accounts.ensure_memberships(self, user, member_of)

    def revoke_all(self, user: str) -> list[str]:
        return mysql_accounts.revoke_all(self, user)

    def replications(self) -> list[Activity]:
        return mysql_activity.replications(self)

    def jobs(self) -> list[Activity]:
        return mysql_activity.jobs(self, _OWN_SCHEMAS)

    def stop(self, activity: Activity) -> None:
        mysql_activity.stop(self, activity)

    def inherited_logins(self) -> list[str]:
        return mysql_accounts.inherited_logins(self)

    def set_login(self, login: str, *, enabled: bool) -> None:
        mysql_accounts.set_login(self, login, enabled=enabled)

    def other_databases_of(self, user: str) -> list[str]:
        return []  # an account's rights belong to the server: ensure_grants() has put them all right

    def deviations(self, access: Access, schemas: Collection[str], member_of: Collection[str] = ()) -> list[str]:
        return mysql_accounts.deviations(self, access, schemas, member_of)

    def schemas(self) -> set[str]:
        return {row[0] for row in self.run("SELECT schema_name FROM information_schema.schemata")} - set(_OWN_SCHEMAS)

    def tables(self) -> set[str]:
        rows = self.run(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN %s", _OWN_SCHEMAS
        )
        return {f"{schema}.{table}" for schema, table in rows}

    def extensions(self) -> dict[str, str]:
        return {}

    def count_rows(self, table: str, limit: int) -> int:
        # A derived table needs a column; the limit cannot be bound as text, so it is a number by type.
        return int(self._read(f"SELECT COUNT(*) FROM (SELECT 1 FROM {self._table(table)} LIMIT {int(limit)}) s")[0][0])

    def newest_age_seconds(self, table: str, column: str) -> float | None:
        newest = f"MAX({mysql_name(column)})"
        age = self._read(f"SELECT TIMESTAMPDIFF(SECOND, {newest}, UTC_TIMESTAMP()) FROM {self._table(table)}")[0][0]
        return None if age is None else float(age)

    def scalar(self, sql: str) -> object:
        rows = self._read(sql)
        if len(rows) != 1 or len(rows[0]) != 1:
            raise StatementFailed("The statement must return one row with one column.")
        return rows[0][0]

    ddl_is_transactional = False

    def changing(self) -> AbstractContextManager[None]:
        return mysql_masking.changing(self)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Read only. The session is too: DDL ends the transaction before it looks whether it may run."""
        self.run("SET SESSION TRANSACTION READ ONLY")
        try:
            self.run("START TRANSACTION")
            yield
        finally:
            with suppress(RestoreError):  # a broken connection has rolled back already
                self.run("ROLLBACK")
                self.run("SET SESSION TRANSACTION READ WRITE")

    def execute(self, statement: Statement, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        return mysql_masking.execute(self, statement, values)

    def quoted(self, table: str, column: str) -> tuple[str, str]:
        return self._table(table), mysql_name(column)

    def text_tables(self) -> list[TextTable]:
        return mysql_masking.text_tables(self, _OWN_SCHEMAS)

    def text_values(self, table: TextTable, rows: int | None) -> Iterator[tuple[str | None, ...]]:
        with self._typed_errors(), self._connection.cursor(SSCursor) as cursor:
            cursor.execute(mysql_masking.text_query(table, rows))
            yield from cursor

    def thread_id(self) -> int:
        """The connection as KILL names it."""
        return int(self._connection.thread_id())  # type: ignore[no-untyped-call]

    def another(self) -> Database:
        """A further connection with the same login."""
        return self._log_in(self.endpoint)

    def _read(self, sql: str) -> list[tuple[Any, ...]]:
        """One statement, read only."""
        with self.looking():
            return self.run(sql)

    def _table(self, name: str) -> str:
        schema, table = split_table(name, self.endpoint.database)
        return f"{mysql_name(schema)}.{mysql_name(table)}"

    def _version(self) -> str:
        return str(self.run("SELECT VERSION()")[0][0])

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except pymysql.MySQLError as error:
            origin = getattr(error, "original_exception", None)
            if isinstance(origin, OSError):  # connect() tells TLS from the network
                raise origin from None
            raise _typed(error, self.endpoint) from None  # the driver's exception may quote data


def _typed(error: pymysql.MySQLError, endpoint: Endpoint) -> RestoreError:
    number, text = (*error.args, "", "")[:2]
    where = f"{endpoint.host}:{endpoint.port}"
    if number == CR.CR_SSL_CONNECTION_ERROR:
        return TlsFailed(f"{where} offers no TLS; an Aurora instance does.")
    if number == ER.BAD_DB_ERROR:
        return DatabaseMissing(f"{where} has no database {endpoint.database!r}.")
    if number in _NOT_NOW:
        return DatabaseUnreachable(f"{where} takes no connection now (error {number}).")
    if number in _TIMEOUTS:
        return StatementTimedOut("The statement ran into the statement timeout.", state=str(number))
    return StatementFailed(
        f"{endpoint.database}: {f'{text} ' if number in _SAFE else ''}(error {number}).", state=str(number)
    )

"""Aurora PostgreSQL through pg8000: one statement a call (extended protocol), values always bound."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from typing import Any

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection
from scramp import ScramException

from aurora_restore.db import (
    postgres_access,
    postgres_activity,
    postgres_deviations,
    postgres_login,
    postgres_masking,
    postgres_memberships,
)
from aurora_restore.db.failures import DatabaseMissing, LoginRefused, StatementFailed, StatementTimedOut, TlsFailed
from aurora_restore.db.model import Access, Activity, Endpoint, TextTable, Wire
from aurora_restore.db.quoting import postgres_name, split_table
from aurora_restore.db.statements import Statement
from aurora_restore.errors import DatabaseUnreachable, RestoreError

_OWN_SCHEMAS = r"^(pg_.*|information_schema)$"
_DEFAULT_SCHEMA = "public"
# Messages of these SQLSTATE classes name objects and rules, never data: access rules and syntax, roles, limits,
# read-only.
_SAFE_CLASSES = ("0L", "0P", "25", "2B", "3F", "42", "54", "55", "57")


class PostgresDatabase:
    """`Database` on PostgreSQL 11 and newer."""

    def __init__(self, endpoint: Endpoint, wire: Wire) -> None:
        self.endpoint = endpoint
        self._log_in = wire.log_in
        with self._typed_errors():
            self._connection = Connection(
                endpoint.user,
                host=endpoint.host,
                port=endpoint.port,
                database=endpoint.database,
                password=endpoint.password,
                sock=wire.socket,
                ssl_context=wire.tls,
                application_name="aurora-restore",
                startup_params={"TimeZone": "UTC"},
            )
        self.limit_statements(wire.statement_seconds)

    def close(self) -> None:
        with suppress(InterfaceError, OSError):
            self._connection.close()

    def run(self, sql: str, *values: object) -> list[list[Any]]:
        """The rows of one statement whose `$1`, `$2`, ... are `values`."""
        with self._typed_errors():
            return self._connection.execute_unnamed(sql, vals=values).rows or []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: DDL and grants are transactional in PostgreSQL."""
        self.run("BEGIN")
        try:
            yield
        except BaseException:
            with suppress(RestoreError):  # a broken connection has rolled back already
                self.run("ROLLBACK")
            raise
        self.run("COMMIT")

    def limit_statements(self, seconds: float) -> None:
        self.run("SELECT set_config('statement_timeout', $1::text, false)", str(int(seconds * 1000)))

    def server_version(self) -> str:
        return str(self.run("SHOW server_version")[0][0]).split()[0]

    def ensure_login(self, user: str, password: str, member_of: Collection[str] = ()) -> list[str]:
        return postgres_login.ensure_login(self, user, password, member_of)

    def ensure_grants(
        self, user: str, access: Access, schemas: Collection[str], member_of: Collection[str] = ()
    ) -> list[str]:
        return postgres_access.ensure_grants(self, user, access, schemas, member_of)

    def ensure_memberships(self, user: str, member_of: Collection[str]) -> list[str]:
        return postgres_memberships.ensure_memberships(self, user, member_of)

    def revoke_all(self, user: str) -> list[str]:
        return postgres_access.revoke_all(self, user)

    def replications(self) -> list[Activity]:
        return postgres_activity.replications(self)

    def jobs(self) -> list[Activity]:
        return postgres_activity.jobs(self)

    def stop(self, activity: Activity) -> None:
        postgres_activity.stop(self, activity)

    @contextmanager
    def beside(self, database: str) -> Iterator[PostgresDatabase]:
        """A connection with the same login to another database of the server."""
        other = self._log_in(replace(self.endpoint, database=database))
        try:
            yield other  # type: ignore[misc]  # the engine is this one's
        finally:
            other.close()

    def inherited_logins(self) -> list[str]:
        return postgres_login.inherited_logins(self)

    def set_login(self, login: str, *, enabled: bool) -> None:
        postgres_login.set_login(self, login, enabled=enabled)

    def other_databases_of(self, user: str) -> list[str]:
        rows = self.run(
            "SELECT DISTINCT b.datname FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid "
            "JOIN pg_database b ON b.oid = CASE WHEN d.classid = 'pg_database'::regclass THEN d.objid ELSE d.dbid END "
            "WHERE d.refclassid = 'pg_authid'::regclass AND r.rolname = $1 AND b.datname <> current_database() "
            "ORDER BY 1",
            user,
        )
        return [row[0] for row in rows]

    def deviations(self, access: Access, schemas: Collection[str], member_of: Collection[str] = ()) -> list[str]:
        return postgres_deviations.deviations(self, access, schemas, member_of)

    def schemas(self) -> set[str]:
        return {row[0] for row in self.run("SELECT nspname FROM pg_namespace WHERE nspname !~ $1", _OWN_SCHEMAS)}

    def tables(self) -> set[str]:
        rows = self.run(
            "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ $1",
            _OWN_SCHEMAS,
        )
        return {row[0] for row in rows}

    def extensions(self) -> dict[str, str]:
        return {row[0]: row[1] for row in self.run("SELECT extname, extversion FROM pg_extension")}

    def count_rows(self, table: str, limit: int) -> int:
        with self.looking():
            return int(self.run(f"SELECT count(*) FROM (SELECT FROM {_table(table)} LIMIT $1) s", limit)[0][0])

    def newest_age_seconds(self, table: str, column: str) -> float | None:
        newest = f"SELECT max({postgres_name(column)}) FROM {_table(table)}"
        with self.looking():
            age = self.run(f"SELECT extract(epoch FROM now() - ({newest})::timestamptz)")[0][0]
        return None if age is None else float(age)

    def scalar(self, sql: str) -> object:
        with self.looking():
            rows = self.run(sql)
        if len(rows) != 1 or len(rows[0]) != 1:
            raise StatementFailed("The statement must return one row with one column.")
        return rows[0][0]

    ddl_is_transactional = True

    def changing(self) -> AbstractContextManager[None]:
        return postgres_masking.changing(self)

    def looking(self) -> AbstractContextManager[None]:
        return postgres_masking.looking(self)

    def execute(self, statement: Statement, values: Mapping[str, object]) -> list[list[Any]]:
        return postgres_masking.execute(self, statement, values)

    def quoted(self, table: str, column: str) -> tuple[str, str]:
        return _table(table), postgres_name(column)

    def text_tables(self) -> list[TextTable]:
        return postgres_masking.text_tables(self)

    def text_values(self, table: TextTable, rows: int | None) -> Iterator[tuple[str | None, ...]]:
        return postgres_masking.text_values(self, table, rows)

    def accepts(self, user: str, password: str) -> bool:
        """Whether `user` can log in with `password`: Aurora hides the stored verifier even from its master user."""
        try:
            self._log_in(replace(self.endpoint, user=user, password=password)).close()
        except LoginRefused:
            return False
        except StatementFailed:  # refused after the password was accepted: no CONNECT on this database
            return True
        return True

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            raise _typed(error.args[0], self.endpoint) from None  # the driver's exception may quote data
        except InterfaceError as error:
            if "SSL" in str(error):
                raise TlsFailed(
                    f"{self.endpoint.host}:{self.endpoint.port} offers no TLS; an Aurora instance does."
                ) from error
            raise DatabaseUnreachable(
                f"The connection to {self.endpoint} broke: {error.__cause__ or error}."
            ) from error
        except ScramException:
            raise LoginRefused(
                f"The password of {self.endpoint.user!r} cannot be used with SCRAM (control or unassigned characters)."
            ) from None


def _typed(fields: dict[str, str], endpoint: Endpoint) -> RestoreError:
    """The error for a server's ErrorResponse: `C` is its SQLSTATE, `M` its message."""
    state = fields.get("C", "")
    text = fields.get("M", "") if state.startswith(_SAFE_CLASSES) else f"SQLSTATE {state}"
    if state in ("28P01", "28000"):
        return LoginRefused(
            f"{endpoint.host}:{endpoint.port} refuses the login of {endpoint.user!r} to {endpoint.database!r}."
        )
    if state == "3D000":
        return DatabaseMissing(f"{endpoint.host}:{endpoint.port} has no database {endpoint.database!r}.")
    if state.startswith("08") or state in ("53300", "57P01", "57P02", "57P03"):  # too many, shutting down, starting up
        return DatabaseUnreachable(f"{endpoint.host}:{endpoint.port} takes no connection now: {text}.")
    if state == "57014":
        return StatementTimedOut("The statement ran into the statement timeout.", state=state)
    return StatementFailed(f"{endpoint.database}: {text} (SQLSTATE {state}).", state=state)


def _table(name: str) -> str:
    schema, table = split_table(name, _DEFAULT_SCHEMA)
    return f"{postgres_name(schema)}.{postgres_name(table)}"

"""What a step may ask of a database, whichever engine it is."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from aurora_restore.db.statements import Statement

# Logins that Amazon makes for itself, in either engine: rdsadmin (AUG, "Security with Amazon Aurora"), rdsproxyadmin
# (AUG, "Using Amazon RDS Proxy"), and those that clusters show in pg_roles and mysql.user: replication, the topology
# manager, write forwarding. Anything else that begins like them is a customer's.
SERVICE_LOGINS = (
    "rdsadmin",
    "rdsproxyadmin",
    "rdsrepladmin",
    "rdsrepladmin_priv_checks_user",
    "rdstopmgr",
    "rdswriteforwarduser",
)


class Access(StrEnum):
    """What a user of the restored database may do in the schemas named for it; elsewhere it may do nothing."""

    READ_WRITE = "read_write"
    READ_ONLY = "read_only"

    @property
    def table_privileges(self) -> frozenset[str]:
        """The privileges on tables, by the names both engines use."""
        reading = frozenset({"SELECT"})
        return reading | {"INSERT", "UPDATE", "DELETE"} if self is Access.READ_WRITE else reading


def login_name(login: str) -> str:
    """The user's name in what `Database.inherited_logins` returns."""
    return login.rsplit("@", 1)[0] if "@" in login else login


@dataclass(frozen=True)
class Endpoint:
    """Where and as whom to connect. `engine` is Aurora's name: `aurora-postgresql` or `aurora-mysql`."""

    engine: str
    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.database}"


@dataclass(frozen=True)
class Wire:
    """What an engine works on: a connected socket, TLS not begun, and the way to further connections."""

    socket: socket.socket
    tls: ssl.SSLContext
    statement_seconds: float
    log_in: Callable[[Endpoint], Database]


@dataclass(frozen=True)
class Activity:
    """What a server does by itself, without any login: `kind` in words, where it lives, and its name there."""

    kind: str
    database: str
    name: str

    @property
    def full_name(self) -> str:
        """How a request names it."""
        return f"{self.database}.{self.name}"

    def __str__(self) -> str:
        return f"{self.kind} {self.full_name}"


@dataclass(frozen=True)
class TextTable:
    """A table and its columns that can hold text; `rows` is the server's estimate, 0 where it has none."""

    schema: str
    name: str
    columns: tuple[str, ...]
    rows: int = 0

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


class Database(Protocol):
    """One open, verified TLS connection. Every method may raise DatabaseUnreachable and the refusals of `db.failures`.

    Statements run under the statement timeout given to `connect()`. `table` is `schema.table`; without a schema,
    PostgreSQL takes `public` and MySQL the connection's database.
    """

    def close(self) -> None:
        """Close the connection; never raises."""

    def limit_statements(self, seconds: float) -> None:
        """Let the server stop every statement from now on after `seconds`."""

    def server_version(self) -> str:
        """The server's version, such as `16.4` or `8.0.39`."""

    def ensure_login(self, user: str, password: str, member_of: Collection[str] = ()) -> list[str]:
        """Make `user` an ordinary login: no attribute, owner of nothing in this database, in no role that `member_of`
        does not list, and itself no role of others.

        Returns what was changed, never a secret.
        """

    def ensure_grants(
        self, user: str, access: Access, schemas: Collection[str], member_of: Collection[str] = ()
    ) -> list[str]:
        """Give `user` exactly `access` to `schemas`, future objects included, and membership in exactly the roles
        `member_of`. Returns what was changed.
        """

    def ensure_memberships(self, user: str, member_of: Collection[str]) -> list[str]:
        """Make `user`, whose rights stay, a member of exactly the roles `member_of`. Returns what was changed."""

    def revoke_all(self, user: str) -> list[str]:
        """Take from `user` every right in this database. Returns what was changed."""

    def replications(self) -> list[Activity]:
        """What draws data from another server, or still names what it holds there; in all databases."""

    def jobs(self) -> list[Activity]:
        """The scheduled jobs that are switched on, in all databases."""

    def stop(self, activity: Activity) -> None:
        """End one of these for good, idle or not. Raises NotQuiet where the master may not."""

    def inherited_logins(self) -> list[str]:
        """Who may log in but this connection's user and the service's own; on MySQL `user@host`."""

    def set_login(self, login: str, *, enabled: bool) -> None:
        """Let an inherited login log in, or not. Raises GrantsNotExact where the master may not decide that."""

    def other_databases_of(self, user: str) -> list[str]:
        """The other databases of the server in which `user` still holds rights."""

    def deviations(self, access: Access, schemas: Collection[str], member_of: Collection[str] = ()) -> list[str]:
        """What this connection's user may do beyond `access` to `schemas` and the rights of the roles `member_of`, or
        may not of it; empty when exact.
        """

    def schemas(self) -> set[str]:
        """The schemas that are not the server's own."""

    def tables(self) -> set[str]:
        """Every table and view outside the server's own schemas, as `schema.table`."""

    def extensions(self) -> dict[str, str]:
        """Name and version of each installed extension; empty on MySQL."""

    def count_rows(self, table: str, limit: int) -> int:
        """The rows of `table`, counted up to `limit`: a bound on a large table is proved without reading all of it."""

    def newest_age_seconds(self, table: str, column: str) -> float | None:
        """Seconds since the newest value of a time `column` (zoneless ones are UTC); None for an empty table."""

    def scalar(self, sql: str) -> object:
        """The only column of the only row of ONE statement, run in a read-only transaction."""

    @property
    def ddl_is_transactional(self) -> bool:
        """Whether a transaction may hold any statement; where not, DDL commits what went before it."""

    def changing(self) -> AbstractContextManager[None]:
        """A transaction with the rights of every owner of objects in the database."""

    def looking(self) -> AbstractContextManager[None]:
        """The same, read only."""

    def execute(self, statement: Statement, values: Mapping[str, object]) -> list[Any]:
        """The rows of one statement, its placeholders bound to `values`."""

    def quoted(self, table: str, column: str) -> tuple[str, str]:
        """A table and a column as SQL takes them."""

    def text_tables(self) -> list[TextTable]:
        """The tables and materialized views that have columns for text, outside the server's own schemas."""

    def text_values(self, table: TextTable, rows: int | None) -> Iterator[tuple[str | None, ...]]:
        """The values of the columns of `table`, row by row, of about `rows` rows anywhere in it or (None) of all.

        Inside `looking()`. The rows stream: a large table does not have to fit into memory.
        """

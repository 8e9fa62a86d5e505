"""What the parts of the MySQL side need of a connection, and what differs between the servers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from aurora_restore.db.model import Database, Endpoint


@dataclass(frozen=True)
class Dialect:
    """How one server says what the other says differently.

    `accounts`: host, plugin, verifier in hexadecimal, whether locked, of the accounts of one user name.
    `unlocked`: user and host of all accounts that may log in.
    `roles`: the names of the roles; `role_host` belongs to each, None where they have none.
    `members`: user and host of who holds an account of one user name as a role, and that account's host; not of the
    user given second. None where an account cannot be one.
    """

    statement_timeout: str
    milliseconds: bool
    accounts: str
    unlocked: str
    default_plugin: str
    roles: str
    role_host: str | None
    members: str | None


DIALECTS = {
    "MySQL": Dialect(
        statement_timeout="SET SESSION max_execution_time = %s",
        milliseconds=True,
        accounts="SELECT host, plugin, HEX(authentication_string), account_locked = 'Y' OR password_expired = 'Y' "
        "FROM mysql.user WHERE user = %s ORDER BY host",
        unlocked="SELECT user, host FROM mysql.user WHERE account_locked = 'N'",
        # MySQL 8.0 has the first variable, 8.4 the second (`*:caching_sha2_password,,`).
        default_plugin="SHOW GLOBAL VARIABLES WHERE variable_name "
        "IN ('default_authentication_plugin', 'authentication_policy')",
        roles="SELECT user FROM mysql.user WHERE host = '%'",  # any account can be one
        role_host="%",
        members="SELECT to_user, to_host, from_host FROM mysql.role_edges WHERE from_user = %s AND to_user <> %s "
        "ORDER BY 1, 2, 3",
    ),
    "MariaDB": Dialect(
        statement_timeout="SET SESSION max_statement_time = %s",
        milliseconds=False,
        accounts="SELECT u.host, u.plugin, HEX(u.authentication_string), "
        "COALESCE(JSON_VALUE(p.priv, '$.account_locked'), 0) = 1 OR u.password_expired = 'Y' FROM mysql.user u "
        "JOIN mysql.global_priv p ON p.user = u.user AND p.host = u.host WHERE u.user = %s ORDER BY u.host",
        unlocked="SELECT u.user, u.host FROM mysql.user u JOIN mysql.global_priv p ON p.user = u.user "
        "AND p.host = u.host "
        "WHERE u.is_role <> 'Y' AND COALESCE(JSON_VALUE(p.priv, '$.account_locked'), 0) <> 1",
        default_plugin="SELECT 'plugin', 'mysql_native_password'",
        roles="SELECT user FROM mysql.user WHERE is_role = 'Y'",
        role_host=None,
        members=None,
    ),
}


class Session(Protocol):
    """The part of a connection that reading needs, and running statements."""

    def run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of one statement."""


class Accounts(Session, Protocol):
    """The part of a connection that changing accounts needs."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the connection leads, and as whom."""

    @property
    def dialect(self) -> Dialect:
        """How the server says it."""

    def schemas(self) -> set[str]:
        """The schemas that are not the server's own."""


class Guarded(Session, Protocol):
    """The part of a connection that ending its statements in time needs."""

    @property
    def limit(self) -> float:
        """The statement timeout, in seconds."""

    def thread_id(self) -> int:
        """The connection as KILL names it."""

    def another(self) -> Database:
        """A further connection with the same login."""

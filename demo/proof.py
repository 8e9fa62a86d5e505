"""Looks at the databases after the restore. Every check either holds or ends the demo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pg8000.dbapi import DatabaseError

from demo.console import Console, DemoError
from demo.databases import Databases, Login, totals
from demo.settings import DATABASE, SOURCE, TARGET

Fingerprint = Mapping[str, tuple[int, str]]
_INSUFFICIENT_PRIVILEGE = "42501"  # PostgreSQL documentation, "PostgreSQL Error Codes"
_ALLOWED = {
    "read": "SELECT count(*) FROM shop.customers",
    "insert": "INSERT INTO shop.customers VALUES (0, 'Demo', 'demo@example.com', '+49 30 0000000')",
    "update": "UPDATE shop.orders SET status = 'paid' WHERE id = 1",
    "delete": "DELETE FROM shop.order_lines WHERE order_id = 1",
}
_REFUSED = {
    "create a table": "CREATE TABLE shop.mine (id int)",
    "drop a table": "DROP TABLE shop.orders",
    "create a role": "CREATE ROLE intruder",
}


class Proof:
    """The checks; `databases` connects, `console` prints what was seen."""

    def __init__(self, databases: Databases, console: Console) -> None:
        self._databases = databases
        self._console = console

    def same_rows(
        self, cluster: str, login: Login, expected: Fingerprint, meaning: str, *, without: tuple[str, ...] = ()
    ) -> None:
        """`cluster` holds the rows of `expected`: count and checksum of every table; columns `without` do not count."""
        found = self._databases.fingerprint(cluster, login, DATABASE, without=without)
        if found != expected:
            raise DemoError(f"{cluster} does not hold {meaning}: found {found}, expected {dict(expected)}")
        besides = f" without the columns {' and '.join(without)}" if without else ""
        self._console.say(f"{cluster} holds {meaning}: {totals(found)}, checksums{besides} equal")

    def masked(self, cluster: str, login: Login, *, all_of_them: bool) -> None:
        """Every customer of `cluster` has masked contact data, or none has."""
        customers, masked = self._databases.contacts(cluster, login, DATABASE)
        if masked != (customers if all_of_them else 0):
            raise DemoError(f"{masked} of the {customers} customers of {cluster} have masked contact data")
        self._console.say(f"{cluster} has masked e-mail addresses and phone numbers of {masked:,} customers")

    def application_rights(self, login: Login) -> None:
        """The application's user logs in over verified TLS, reads and writes, and may do nothing else."""
        with self._databases.connect(TARGET, login, DATABASE) as connection:
            cursor = connection.cursor()
            for action, statement in _ALLOWED.items():
                _execute(cursor, statement, f"{login.username} cannot {action}")
            connection.rollback()  # the proof must leave the data as it was restored
            for action, statement in _REFUSED.items():
                try:
                    cursor.execute(statement)
                except DatabaseError as error:
                    _require_refusal(error, f"{login.username} trying to {action}")
                else:
                    raise DemoError(f"{login.username} can {action}, and must not")
                connection.rollback()
        self._console.say(
            f"{login.username} logs in over verified TLS; may {', '.join(_ALLOWED)}; may not {', '.join(_REFUSED)}"
        )

    def names(self, rds: Any, old_cluster: str) -> None:
        """Exactly one cluster holds the target's name, and the old one stands under its own."""
        standing = sorted(each["DBClusterIdentifier"] for each in rds.describe_db_clusters()["DBClusters"])
        missing = {SOURCE, TARGET, old_cluster} - set(standing)
        if missing:
            raise DemoError(f"no cluster is named {', '.join(sorted(missing))}; there are {', '.join(standing)}")
        self._console.say(f"clusters: {', '.join(standing)}")


def _execute(cursor: Any, statement: str, failure: str) -> None:
    try:
        cursor.execute(statement)
    except DatabaseError as error:
        raise DemoError(f"{failure}: {error}") from error


def _require_refusal(error: DatabaseError, who: str) -> None:
    """The refusal must be one for lack of rights, not any failure: pg8000 gives the SQLSTATE under `C`."""
    detail = error.args[0] if error.args else {}
    if not isinstance(detail, dict) or detail.get("C") != _INSUFFICIENT_PRIVILEGE:
        raise DemoError(f"{who} failed for another reason than missing rights: {error}")

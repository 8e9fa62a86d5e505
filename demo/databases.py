"""The databases of the demo, looked at directly: pg8000 over verified TLS, as any application would."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pg8000.dbapi

MASKED = ("email", "phone")  # the columns that masking/orders-staging changes
TABLES = {"shop.customers": "id", "shop.orders": "id", "shop.order_lines": "order_id, line"}
_CONTACTS = """SELECT count(*), count(*) FILTER (WHERE email LIKE '%@masked.invalid' AND phone LIKE '+00 %')
FROM shop.customers"""


@dataclass(frozen=True)
class Login:
    """Who logs in; the password is left out of every representation."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.username})"


class Databases:
    """Connections to clusters by identifier. `rds` is a boto3 client, `ca_file` signs their certificates."""

    def __init__(self, rds: Any, ca_file: Path) -> None:
        self._rds = rds
        self._ca_file = ca_file

    @contextmanager
    def connect(self, cluster: str, login: Login, database: str) -> Iterator[Any]:
        """A connection to the cluster's writer endpoint; what is not committed is rolled back."""
        described = self._rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]
        connection = pg8000.dbapi.connect(
            host=described["Endpoint"],
            port=described["Port"],
            user=login.username,
            password=login.password,
            database=database,
            ssl_context=ssl.create_default_context(cafile=str(self._ca_file)),
            timeout=30,
        )
        try:
            yield connection
        finally:
            connection.close()

    def fingerprint(
        self, cluster: str, login: Login, database: str, *, without: tuple[str, ...] = ()
    ) -> dict[str, tuple[int, str]]:
        """Rows and checksum of each table of the shop: two databases hold the same rows if these are equal.

        The columns named in `without` do not count: a restored target has them masked, and `contacts` looks at those.
        """
        with self.connect(cluster, login, database) as connection:
            return {table: _fingerprint(connection.cursor(), table, order, without) for table, order in TABLES.items()}

    def contacts(self, cluster: str, login: Login, database: str) -> tuple[int, int]:
        """How many customers there are, and how many of them have masked e-mail addresses and phone numbers."""
        with self.connect(cluster, login, database) as connection:
            cursor = connection.cursor()
            cursor.execute(_CONTACTS)
            customers, masked = cursor.fetchone()
            return int(customers), int(masked)


def _fingerprint(cursor: Any, table: str, order: str, without: tuple[str, ...]) -> tuple[int, str]:
    rows = f"SELECT (to_jsonb(t) - %s::text[])::text AS line FROM {table} t ORDER BY {order}"  # the constants above
    cursor.execute(f"SELECT count(*), coalesce(md5(string_agg(line, '|')), '') FROM ({rows}) r", (list(without),))
    count, checksum = cursor.fetchone()
    return int(count), str(checksum)


def totals(fingerprint: Mapping[str, tuple[int, str]]) -> str:
    """How many rows, in words."""
    return ", ".join(f"{count:,} {table.split('.')[1].replace('_', ' ')}" for table, (count, _) in fingerprint.items())

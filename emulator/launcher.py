"""Start, find and stop the emulator's server process. Standard library only: this runs in the project's environment."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

from emulator import aurora, processes
from emulator.settings import DEFAULT_STATE_DIR, Settings

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 30.0
STOP_SECONDS = 15.0
_LOG_LINES = 15
# A proxy that the caller's environment names cannot reach this machine's loopback addresses.
_WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class EmulatorError(Exception):
    """The emulator could not be started or reached; the message says what to do."""


class Emulator:
    """One emulator, identified by its state directory; also a context manager that starts and stops it.

    Args:
        state_dir: where everything it writes goes.
        port: the endpoint's port; 0 takes a free one.
        wait_scale, aurora_scale, enforce_iam, without_mends: see :class:`emulator.settings.Settings`.
    """

    def __init__(
        self,
        state_dir: str | Path = DEFAULT_STATE_DIR,
        *,
        port: int = 0,
        wait_scale: float = 1.0,
        aurora_scale: float = 1.0,
        enforce_iam: bool = False,
        without_mends: tuple[str, ...] = (),
    ) -> None:
        self.settings = Settings(
            state_dir=Path(state_dir).resolve(),
            port=port or _free_port(),
            wait_scale=wait_scale,
            aurora_scale=aurora_scale,
            enforce_iam=enforce_iam,
            without_mends=without_mends,
        )
        self._server: subprocess.Popen[bytes] | None = None

    @classmethod
    def find(cls, state_dir: str | Path = DEFAULT_STATE_DIR) -> Emulator | None:
        """The emulator that was started in ``state_dir``, running or not; None if there is none."""
        directory = Path(state_dir).resolve()
        try:
            settings = Settings.load(directory)
        except FileNotFoundError:
            return None
        found = cls(directory, port=settings.port)
        found.settings = settings
        return found

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """The URL for ``AWS_ENDPOINT_URL``."""
        return self.settings.endpoint_url

    @property
    def env(self) -> dict[str, str]:
        """The variables a client needs; see :attr:`emulator.settings.Settings.client_env`."""
        return self.settings.client_env

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs, else None; a pid file left by a killed server counts as None."""
        try:
            pid = int(self.settings.pid_file.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None
        ours = processes.alive(pid) and str(self.settings.state_dir) in processes.arguments(pid)
        return pid if ours else None

    def start(self) -> bool:
        """Start the server and wait until it answers.

        Returns:
            False when it was running already, and was left as it is.

        Raises:
            EmulatorError: no interpreter, the port is taken, or the server does not come up.
        """
        if self.pid:
            return False
        interpreter = _interpreter()
        _require_free(self.settings.port)
        self.stop()
        self.settings.tmp_dir.mkdir(parents=True)
        self.settings.save()
        with self.settings.log_file.open("ab") as log:
            self._server = subprocess.Popen(
                [str(interpreter), "-m", "emulator.server", str(self.settings.state_dir)],
                cwd=self.settings.state_dir,
                env=_server_environment(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.settings.pid_file.write_text(str(self._server.pid), encoding="ascii")
        self._await_answer(self._server)
        return True

    def stop(self) -> None:
        """End the server, its functions and its databases, and remove the state directory. Safe to repeat."""
        directory = self.settings.state_dir
        if directory.exists():
            _require_state_directory(directory)
        pid = self.pid
        if pid:
            processes.end(pid, STOP_SECONDS)
        if self._server:
            self._server.wait()
            self._server = None
        aurora.clean(directory)
        if directory.exists():
            shutil.rmtree(directory)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Call the emulator's own API, such as ``/_emulator/faults``; takes and gives what JSON can carry.

        Raises:
            EmulatorError: it does not answer, or refuses the call.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint_url}{path}", data=data, method=method)
        try:
            with _WITHOUT_PROXY.open(request, timeout=10) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            raise EmulatorError(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from error
        except OSError as error:
            raise EmulatorError(f"{method} {path}: {error}. Is it running? `python -m emulator status`") from error

    def _await_answer(self, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if server.poll() is not None:
                raise EmulatorError(self._log_tail(f"The emulator ended with code {server.returncode} while starting."))
            with contextlib.suppress(EmulatorError):
                self.request("GET", "/_emulator/health")
                return
            time.sleep(0.05)
        processes.end(server.pid, STOP_SECONDS)
        raise EmulatorError(self._log_tail(f"The emulator did not answer within {START_SECONDS:.0f} s."))

    def _log_tail(self, what: str) -> str:
        lines = self.settings.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([f"{what} Its log is {self.settings.log_file}; the end of it:", *lines[-_LOG_LINES:]])


def _interpreter() -> Path:
    chosen = os.environ.get("EMULATOR_PYTHON")
    interpreter = Path(chosen) if chosen else REPOSITORY / ".venv" / "emulator" / "bin" / "python"
    if not interpreter.exists():
        raise EmulatorError(
            f"The emulator's interpreter {interpreter} does not exist. Make it with `python3 -m venv .venv/emulator && "
            ".venv/emulator/bin/pip install -r requirements-emulator.txt`, or name another one in EMULATOR_PYTHON."
        )
    return interpreter.absolute()


def _server_environment(settings: Settings) -> dict[str, str]:
    """A clean environment: credentials, proxies and paths that the caller exports must not reach a function."""
    return {
        "HOME": str(settings.tmp_dir),
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise EmulatorError(
                f"Port {port} on 127.0.0.1 is taken by another program ({error.strerror}). Choose another one "
                f"(`make demo DEMO_PORT={port + 1}`, `python -m emulator up --port {port + 1}`), or stop the emulator "
                "that holds it: `python -m emulator down --state-dir <its directory>`."
            ) from error


def _require_state_directory(directory: Path) -> None:
    """Never remove a directory that is not an emulator's: a mistyped --state-dir must not cost anybody's files."""
    if any(directory.iterdir()) and not (directory / "settings.json").exists():
        raise EmulatorError(
            f"{directory} holds something else than an emulator's state; name another directory, a new "
            "one or an empty one (DEMO_STATE_DIR, --state-dir)."
        )

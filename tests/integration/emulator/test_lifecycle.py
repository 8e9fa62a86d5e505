"""The command line starts one emulator, says what is wrong, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.launcher import Emulator, EmulatorError

from .conftest import wait_for


class Shell:
    """Runs `python -m emulator` for one state directory."""

    def __init__(self, repository: Path, state_dir: Path) -> None:
        self.repository = repository
        self.state_dir = state_dir

    def __call__(self, command: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        return subprocess.run(
            [sys.executable, "-m", "emulator", command, "--state-dir", str(self.state_dir), *options],
            cwd=self.repository,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def shell(repository: Path, tmp_path: Path) -> Iterator[Shell]:
    """A shell whose emulator is stopped afterwards."""
    commands = Shell(repository, tmp_path / "state")
    yield commands
    commands("down")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_up_status_env_logs_and_down(shell: Shell) -> None:
    port = free_port()
    assert shell("status").returncode == 1
    started = shell("up", "--port", str(port), AWS_PROFILE="someone-elses", http_proxy="http://192.0.2.1:3128")
    assert started.returncode == 0, started.stderr
    assert f"http://127.0.0.1:{port}" in started.stdout
    assert "Already running" in shell("up").stdout
    assert shell("status").returncode == 0
    assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{port}\n" in shell("env").stdout
    assert (
        "export no_proxy=intranet,127.0.0.1\n"
        in shell("env", http_proxy="http://192.0.2.1", no_proxy="intranet").stdout
    )
    assert f"127.0.0.1:{port}" in shell("logs").stdout
    assert shell("down").returncode == 0
    assert not shell.state_dir.exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_killed_emulator_is_not_running_and_is_replaced(shell: Shell) -> None:
    shell("up", "--port", "0")
    killed = Emulator.find(shell.state_dir)
    assert killed is not None
    assert killed.pid is not None
    os.kill(killed.pid, signal.SIGKILL)
    wait_for(lambda: shell("status").returncode == 1)
    assert "Running" in shell("up", "--port", str(killed.settings.port)).stdout


def test_a_taken_port_is_named_with_the_way_out(shell: Shell) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        refused = shell("up", "--port", str(holder.getsockname()[1]))
    assert refused.returncode == 1
    assert "--port" in refused.stderr
    assert not shell.state_dir.exists()


def test_a_start_that_fails_shows_the_log(shell: Shell) -> None:
    failed = shell("up", "--port", "0", EMULATOR_PYTHON="/bin/false")
    assert failed.returncode == 1
    assert str(shell.state_dir / "emulator.log") in failed.stderr


def test_a_missing_interpreter_is_named_with_the_way_to_make_it(shell: Shell) -> None:
    refused = shell("up", EMULATOR_PYTHON="/nonexistent/python")
    assert refused.returncode == 1
    assert "requirements-emulator.txt" in refused.stderr


def test_a_directory_of_somebody_else_is_never_removed(tmp_path: Path) -> None:
    precious = tmp_path / "aurora" / "precious"
    precious.parent.mkdir()
    precious.write_text("data", encoding="utf-8")
    with pytest.raises(EmulatorError, match="something else than an emulator"):
        Emulator(tmp_path).start()
    assert precious.exists()

"""Measuring whole processes against an emulator: wall time, peak memory, API calls."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.launcher import Emulator

_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "TF_PLUGIN_DIR")
_LOG_LINES = 25


class RunFailed(Exception):
    """A form's command failed; the message ends with what it printed last."""


@dataclass(frozen=True)
class Measured:
    """One process with all it started: seconds on the clock, largest resident set of one process (MB), API calls."""

    seconds: float
    peak_mb: float
    calls: int


def environment(emulator: Emulator, extra: Mapping[str, str]) -> dict[str, str]:
    """Return a clean environment that points at the emulator: nothing that the caller exports changes a result."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {**inherited, **emulator.env, "ANSIBLE_NOCOLOR": "1", **extra}


def run(command: Sequence[str], directory: Path, emulator: Emulator, extra: Mapping[str, str]) -> Measured:
    """Run a command in `directory` and measure it. Raises RunFailed."""
    log_file = directory / "log.txt"
    emulator.request("DELETE", "/_emulator/calls")
    started = time.monotonic()
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment(emulator, extra),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)  # unlike RUSAGE_CHILDREN, of this process alone
    seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
        raise RunFailed("\n".join([f"{' '.join(command)[:200]} ended with {process.returncode}:", *tail]))
    calls: dict[str, int] = emulator.request("GET", "/_emulator/calls")
    return Measured(seconds, usage.ru_maxrss / 1024, sum(calls.values()))

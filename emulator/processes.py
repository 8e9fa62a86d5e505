"""The few questions about processes that the launcher asks of Linux."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether ``pid`` runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def arguments(pid: int) -> list[str]:
    """The command line of ``pid``; empty when it is gone or belongs to somebody else."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []


def serving(directory: Path) -> list[int]:
    """Every process whose command line names a directory inside ``directory``: the database servers of an emulator."""
    root = f"{directory}/"
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            words = [word.partition("=")[2] or word for word in arguments(int(entry.name))]
            if any(word.startswith(root) and Path(word).is_dir() for word in words):
                found.append(int(entry.name))
    return found


def end(pids: Iterable[int], grace_seconds: float) -> None:
    """Ask processes to end, and kill those that still run after ``grace_seconds``."""
    waiting = [pid for pid in pids if alive(pid)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in waiting:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + grace_seconds
        while waiting and time.monotonic() < deadline:
            time.sleep(0.02)
            waiting = [pid for pid in waiting if alive(pid)]

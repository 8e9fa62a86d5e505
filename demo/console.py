"""What the demo prints: parts with their time, progress of long commands, and where the log is when one fails."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TASK = re.compile(r"^TASK \[(?P<name>(?!.* : Validating arguments ).*?)\]")  # every role's first task is Ansible's own
_TAIL_LINES = 25


class DemoError(Exception):
    """A part of the demo failed; the message says what, and where more stands."""


class Console:
    """Prints parts and remembers how long each took."""

    def __init__(self) -> None:
        self.times: list[tuple[str, float]] = []

    @contextmanager
    def part(self, title: str) -> Iterator[None]:
        """Everything inside is one part of the demo; its time is kept for the table at the end."""
        print(f"\n[{len(self.times) + 1}] {title}", flush=True)
        start = time.monotonic()
        yield
        self.times.append((title, time.monotonic() - start))

    def say(self, text: str = "") -> None:
        """Print a line of the current part."""
        print(f"    {text}" if text else "", flush=True)

    def table(self) -> None:
        """Print the time each part took."""
        print("\nTimes")
        for title, seconds in [*self.times, ("all", sum(seconds for _, seconds in self.times))]:
            print(f"    {seconds:6.1f} s  {title}")

    def run(self, command: list[str], log: Path, *, env: dict[str, str], cwd: Path, whole: bool = False) -> str:
        """Run a command; its output goes to `log`, to the screen the names of its tasks, or with `whole` all of it.

        :raises DemoError: it failed; the end of its output is part of the message.
        """
        self.say(f"$ {shlex.join([Path(command[0]).name, *command[1:]])}")
        log.parent.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        colour = {"ANSIBLE_FORCE_COLOR": "1"} if whole and sys.stdout.isatty() else {}
        lines = []
        with (
            log.open("w", encoding="utf-8") as file,
            subprocess.Popen(
                command,
                env={**os.environ, **env, **colour, "PYTHONUNBUFFERED": "1"},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
            ) as process,
        ):
            for line in process.stdout or ():
                lines.append(line)
                file.write(line)
                task = _TASK.match(line)
                if whole:
                    self.say(line.rstrip())
                elif task:
                    self.say(f"{time.monotonic() - start:5.1f} s  {task['name']}")
        output = "".join(lines)
        if process.returncode:
            tail = output if whole else "\n".join(["", *output.splitlines()[-_TAIL_LINES:]])
            raise DemoError(
                f"{shlex.join(command)} failed with code {process.returncode}; its log is {log}.{'' if whole else tail}"
            )
        return output

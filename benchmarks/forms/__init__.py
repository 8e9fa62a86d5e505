"""The ways to deploy the same resources. Each module is one form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.stack import Stack

REPOSITORY = Path(__file__).resolve().parents[2]
SCENARIOS = {
    "cold": "cold: an empty account",
    "none": "no change",
    "check": "no change, as a preview (--check --diff, plan)",
    "lambda": "the lambda part alone, after editing one function's memory",
}
"""What is measured, in the order in which it is run."""


@dataclass(frozen=True)
class Place:
    """Where one form works: its own directory, the package that every form uploads, and the emulator's CA file."""

    directory: Path
    package: Path
    ca_file: Path


class Form(ABC):
    """One way to deploy. `prepare` writes its files, `command` says what to run in its directory."""

    name: str
    title: str
    adopts = True
    """Whether it takes what another form has deployed for its own, as all do that ask AWS what there is."""

    @abstractmethod
    def missing(self) -> str | None:
        """Return why this form cannot run on this machine, or None."""

    @abstractmethod
    def prepare(self, place: Place, stack: Stack, edited: Stack) -> None:
        """Write everything the commands need; `edited` is the stack after one function was edited."""

    @abstractmethod
    def command(self, scenario: str) -> list[str] | None:
        """Return the command of a scenario, or None where the form has nothing like it."""

    def environment(self) -> Mapping[str, str]:
        """Return variables that the commands need besides the connection."""
        return {}

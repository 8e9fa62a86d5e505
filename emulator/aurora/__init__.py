"""Aurora for the local AWS: the RDS API's cluster half, with a real database server behind every cluster.

The launcher calls `install` before `ministack.app.main()` and `shutdown` when the server ends. `docs/emulator-aurora.md`
says what is real, what is not, and why this is built on neither ministack's nor moto's RDS.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

__all__ = ["Settings", "install", "set_scale", "shutdown"]


class Settings(Protocol):
    """What the launcher tells this package."""

    state_dir: Path
    aurora_scale: float
    endpoint_port: int


def install(settings: Settings) -> None:
    """Put this package in the place of ministack's RDS; call it in the process that will serve, before it serves."""


def set_scale(scale: float) -> None:
    """Set how much of AWS's real delay every state takes: 0 = none, 1 = all of it. Takes effect on running delays too."""


def shutdown() -> None:
    """Stop every database server and listener this process started."""

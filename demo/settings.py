"""What the demo is told by its environment, and the names it uses."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from emulator.settings import DEFAULT_STATE_DIR

REPOSITORY = Path(__file__).resolve().parents[1]
INVENTORY = "inventories/local"
NAME_PREFIX = "aurora-restore"
SOURCE = "orders-prod"
TARGET = "orders-staging"
DATABASE = "shop"
SNAPSHOT = "orders-prod-nightly"
LAST_PORT = 65535


@dataclass(frozen=True)
class Settings:
    """`DEMO_PORT`: the local AWS's port; `DEMO_STATE_DIR`: its folder; `DEMO_SCALE`: factor on AWS's waiting times.

    `port` is None where none was asked for: that of the demo that runs already, or the usual one.
    """

    port: int | None
    state_dir: Path
    scale: float

    @classmethod
    def from_env(cls) -> Settings:
        """Read the environment.

        :raises ValueError: a value cannot be used; the message names the variable.
        """
        return cls(
            port=_port(os.environ.get("DEMO_PORT", "")),
            state_dir=Path(os.environ.get("DEMO_STATE_DIR") or DEFAULT_STATE_DIR).resolve(),
            scale=_scale(os.environ.get("DEMO_SCALE") or "0.02"),
        )

    @property
    def log_dir(self) -> Path:
        """Where every command's whole output goes; it vanishes with the emulator."""
        return self.state_dir / "demo"

    @property
    def ca_file(self) -> Path:
        """The certificate authority that signs the databases' certificates."""
        return self.state_dir / "ca.pem"

    @property
    def emulator_env(self) -> str:
        """The shell command that prints the variables which point AWS tools at this demo."""
        return f"python -m emulator env{f' --state-dir {self.state_dir}' if self._elsewhere else ''}"

    @property
    def down(self) -> str:
        """The shell command that removes this demo."""
        return f"make demo-down{f' DEMO_STATE_DIR={self.state_dir}' if self._elsewhere else ''}"

    @property
    def inventory(self) -> list[str]:
        """What every playbook is given: the inventory, and where the certificate authority is if not in its place."""
        elsewhere = ["-e", f"lambda_rds_ca_bundle={self.ca_file}"] if self._elsewhere else []
        return ["-i", INVENTORY, *elsewhere]

    @property
    def playbook(self) -> list[str]:
        """The start of every ansible-playbook command; this virtual environment's, whatever the PATH says."""
        return [str(Path(sys.executable).parent / "ansible-playbook"), *self.inventory]

    @property
    def _elsewhere(self) -> bool:
        return self.state_dir != REPOSITORY / DEFAULT_STATE_DIR


def _port(text: str) -> int | None:
    if not text:
        return None
    if not (text.isdecimal() and 1 <= int(text) <= LAST_PORT):
        raise ValueError(f"DEMO_PORT is {text!r}: choose a port from 1 to {LAST_PORT}, for example DEMO_PORT=4700")
    return int(text)


def _scale(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = -1.0
    if not 0 <= factor <= 1:
        raise ValueError(f"DEMO_SCALE is {text!r}: choose a factor from 0 (no waiting) to 1 (AWS's own times)")
    return factor

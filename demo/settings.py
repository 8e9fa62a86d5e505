"""What the demo is told by its environment, and the names it uses."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from emulator.settings import DEFAULT_PORT, DEFAULT_STATE_DIR

REPOSITORY = Path(__file__).resolve().parents[1]
INVENTORY = "inventories/local"
NAME_PREFIX = "aurora-restore"
SOURCE = "orders-prod"
TARGET = "orders-staging"
DATABASE = "shop"
SNAPSHOT = "orders-prod-nightly"


@dataclass(frozen=True)
class Settings:
    """`DEMO_PORT`: the local AWS's port; `DEMO_STATE_DIR`: its folder; `DEMO_SCALE`: factor on AWS's waiting times."""

    port: int
    state_dir: Path
    scale: float

    @classmethod
    def from_env(cls) -> Settings:
        """Read the environment.

        :raises ValueError: a number is none.
        """
        return cls(
            port=int(os.environ.get("DEMO_PORT", DEFAULT_PORT)),
            state_dir=Path(os.environ.get("DEMO_STATE_DIR", DEFAULT_STATE_DIR)).resolve(),
            scale=float(os.environ.get("DEMO_SCALE", "0.02")),
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
        elsewhere = "" if self.state_dir == REPOSITORY / DEFAULT_STATE_DIR else f" --state-dir {self.state_dir}"
        return f"python -m emulator env{elsewhere}"

    @property
    def playbook(self) -> list[str]:
        """The start of every ansible-playbook command; this virtual environment's, whatever the PATH says."""
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", INVENTORY]
        if self.state_dir != REPOSITORY / DEFAULT_STATE_DIR:
            command += ["-e", f"lambda_rds_ca_bundle={self.ca_file}"]
        return command

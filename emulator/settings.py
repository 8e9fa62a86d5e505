"""What one emulator is told at its start; written by the launcher, read by the server."""

from __future__ import annotations

import dataclasses
import json
import urllib.request
from pathlib import Path

DEFAULT_PORT = 4566
DEFAULT_STATE_DIR = ".emulator"
DEFAULT_REGION = "us-east-1"
DEFAULT_ACCOUNT = "000000000000"


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that can be chosen about one emulator.

    Args:
        state_dir: where the emulator keeps every file it makes; removed by ``down``.
        port: TCP port of the endpoint on 127.0.0.1.
        wait_scale: factor on Step Functions' Wait states and retry delays; 0 skips them.
        aurora_scale: factor on the delays of the Aurora control plane; 0 makes every change immediate.
        enforce_iam: evaluate IAM policies; an access key of twelve digits stays its account's root.
        region: the region used where a request names none.
        account: the account of the credentials in :attr:`client_env`.
        without_mends: names of mends to leave out; the tests ask with it whether ministack still needs one.
    """

    state_dir: Path
    port: int = DEFAULT_PORT
    wait_scale: float = 1.0
    aurora_scale: float = 1.0
    enforce_iam: bool = False
    region: str = DEFAULT_REGION
    account: str = DEFAULT_ACCOUNT
    without_mends: tuple[str, ...] = ()

    @property
    def endpoint_port(self) -> int:
        """The same as :attr:`port`, by the name the Aurora control plane uses."""
        return self.port

    @property
    def endpoint_url(self) -> str:
        """The one URL that answers for every service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings_file(self) -> Path:
        """These settings as JSON."""
        return self.state_dir / "settings.json"

    @property
    def pid_file(self) -> Path:
        """The server's process id."""
        return self.state_dir / "emulator.pid"

    @property
    def log_file(self) -> Path:
        """Everything the server and its services print."""
        return self.state_dir / "emulator.log"

    @property
    def tmp_dir(self) -> Path:
        """Where functions are unpacked and keep their temporary files, so that ``down`` removes what they leave."""
        return self.state_dir / "tmp"

    @property
    def client_env(self) -> dict[str, str]:
        """The variables that point any AWS SDK, and so Ansible, at this emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            **around_the_proxy(),
        }

    def save(self) -> None:
        """Write the settings file; the state directory must exist."""
        values = {**dataclasses.asdict(self), "state_dir": str(self.state_dir)}
        self.settings_file.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, state_dir: Path) -> Settings:
        """Read the settings of the emulator that lives in ``state_dir``.

        Raises:
            FileNotFoundError: no emulator was started there.
        """
        values = json.loads((state_dir / "settings.json").read_text(encoding="utf-8"))
        return cls(**{**values, "state_dir": state_dir})


def around_the_proxy() -> dict[str, str]:
    """The variables that keep calls to 127.0.0.1 away from a proxy that the environment names; empty without one."""
    proxies = urllib.request.getproxies_environment()
    if not proxies.keys() - {"no"}:
        return {}
    exceptions = ",".join(filter(None, [proxies.get("no"), "127.0.0.1"]))
    return {"NO_PROXY": exceptions, "no_proxy": exceptions}  # urllib and botocore read both, curl the second

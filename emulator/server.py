"""The server process: ministack with the mends and the Aurora control plane, in the emulator's own environment.

``python -m emulator.server <state directory>``; the launcher is its only caller.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from pathlib import Path

from emulator.settings import Settings

MINISTACK_VERSION = "1.5.33"


def _require_version() -> None:
    found = importlib.metadata.version("ministack")
    if found != MINISTACK_VERSION:
        sys.exit(
            f"The mends are written for ministack {MINISTACK_VERSION}, but {found} is installed. "
            "Install requirements-emulator.txt, or check every mend against the new release and change the constant."
        )


def _configure(settings: Settings) -> None:
    """Set the variables that ministack reads while it is imported."""
    os.environ.update(
        {
            "GATEWAY_PORT": str(settings.port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_REGION": settings.region,
            "MINISTACK_ACCOUNT_ID": settings.account,
            "AWS_ENDPOINT_URL": settings.endpoint_url,
            "AUTH": "true" if settings.enforce_iam else "false",
            "SFN_WAIT_SCALE": str(settings.wait_scale),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
    )


def main() -> None:
    """Apply the mends, serve until SIGTERM, then end the functions' workers and the databases."""
    settings = Settings.load(Path(sys.argv.pop(1)))
    _require_version()
    _configure(settings)

    from ministack import app
    from ministack.core import lambda_runtime

    from emulator import aurora, control, mends

    mends.apply(settings)
    aurora.install(settings)
    app._pid_file = lambda _port: str(settings.tmp_dir / "ministack.pid")
    app.app = control.Gateway(app.app, settings)
    try:
        app.main()
    finally:
        lambda_runtime.reset()
        aurora.shutdown()


if __name__ == "__main__":
    main()

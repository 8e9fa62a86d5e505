"""``python -m demo up | down``."""

from __future__ import annotations

import argparse
import os
import sys

from botocore.exceptions import BotoCoreError, ClientError
from pg8000.dbapi import Error as DatabaseError

from demo.console import Console, DemoError
from demo.settings import Settings
from demo.show import Show
from emulator.launcher import Emulator, EmulatorError
from emulator.settings import around_the_proxy

INTERRUPTED = 130  # what a shell reports for a command that SIGINT ended


def _down(settings: Settings) -> None:
    """Stop the emulator with its functions and databases, and remove everything that it and the demo wrote."""
    emulator = Emulator.find(settings.state_dir)
    if emulator is None:
        print(f"Nothing runs in {settings.state_dir}.")
        return
    emulator.stop()
    print(f"Stopped, and removed {settings.state_dir}.")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="The whole pipeline on this machine.")
    parser.add_argument("command", choices=["up", "down"])
    command = parser.parse_args(arguments).command
    os.environ.update(around_the_proxy())
    try:
        settings = Settings.from_env()
        if command == "down":
            _down(settings)
        else:
            Show(settings, Console()).run()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nInterrupted. The same command goes on with it; to stop it all: {settings.down}", file=sys.stderr)
        return INTERRUPTED
    except (DemoError, EmulatorError, ClientError, BotoCoreError, DatabaseError) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        logs = sorted([*settings.log_dir.glob("*.log"), *settings.state_dir.glob("emulator.log")])
        if logs:
            print(f"Logs: {' '.join(map(str, logs))}", file=sys.stderr)
            print(f"To start over: {settings.down}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

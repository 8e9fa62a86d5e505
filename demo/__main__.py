"""``python -m demo up | down``."""

from __future__ import annotations

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError
from pg8000.dbapi import Error as DatabaseError

from demo.console import Console, DemoError
from demo.settings import Settings
from demo.show import Show
from emulator.launcher import Emulator, EmulatorError


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
    try:
        settings = Settings.from_env()
        if command == "down":
            _down(settings)
        else:
            Show(settings, Console()).run()
    except ValueError as error:
        print(f"DEMO_PORT and DEMO_SCALE must be numbers: {error}", file=sys.stderr)
        return 1
    except (DemoError, EmulatorError, ClientError, BotoCoreError, DatabaseError) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        if command == "up":
            print(f"Logs: {settings.log_dir}/*.log and {settings.state_dir}/emulator.log", file=sys.stderr)
            print("Start over: make demo-down demo", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``python -m emulator up | down | status | env | logs``."""

from __future__ import annotations

import argparse
import shlex
import sys

from emulator.launcher import Emulator, EmulatorError
from emulator.settings import DEFAULT_PORT, DEFAULT_STATE_DIR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulator", description="The local AWS of this project.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, summary in (
        ("up", "start it and wait until it answers"),
        ("down", "stop it and remove everything it made"),
        ("status", "say whether it runs; exit code 1 when it does not"),
        ("env", "print the variables that point AWS clients at it"),
        ("logs", "print its log"),
    ):
        command = commands.add_parser(name, help=summary, description=summary)
        command.add_argument("--state-dir", default=DEFAULT_STATE_DIR, help="default: %(default)s")
    up = commands.choices["up"]
    up.add_argument("--port", type=int, default=DEFAULT_PORT, help="default: %(default)s; 0 takes a free one")
    up.add_argument("--wait-scale", type=float, default=1.0, help="factor on Step Functions' waits, 0 skips them")
    up.add_argument("--aurora-scale", type=float, default=1.0, help="factor on Aurora's delays, 0 skips them")
    up.add_argument("--enforce-iam", action="store_true", help="evaluate IAM policies")
    return parser


def _up(options: argparse.Namespace) -> int:
    running = Emulator.find(options.state_dir)
    if running and running.pid:
        print(f"Already running: {running.endpoint_url}, process {running.pid}, log {running.settings.log_file}")
        return 0
    emulator = Emulator(
        options.state_dir,
        port=options.port,
        wait_scale=options.wait_scale,
        aurora_scale=options.aurora_scale,
        enforce_iam=options.enforce_iam,
    )
    emulator.start()
    print(f"Running: {emulator.endpoint_url}, process {emulator.pid}, log {emulator.settings.log_file}")
    return 0


def _down(options: argparse.Namespace) -> int:
    emulator = Emulator.find(options.state_dir)
    if emulator is None:
        print(f"No emulator in {options.state_dir}.")
        return 0
    emulator.stop()
    print(f"Stopped, and removed {emulator.settings.state_dir}.")
    return 0


def _with_running(options: argparse.Namespace) -> int:
    emulator = Emulator.find(options.state_dir)
    if emulator is None or (options.command == "status" and not emulator.pid):
        print(f"Not running in {options.state_dir}. Start it: `python -m emulator up`.", file=sys.stderr)
        return 1
    if options.command == "env":
        print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in emulator.env.items()))
    elif options.command == "logs":
        sys.stdout.write(emulator.settings.log_file.read_text(encoding="utf-8", errors="replace"))
    else:
        print(f"Running: {emulator.endpoint_url}, process {emulator.pid}, log {emulator.settings.log_file}")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return {"up": _up, "down": _down}.get(options.command, _with_running)(options)
    except EmulatorError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

"""Set up what this project needs, in .venv and nowhere else: `setup.py <venv> <step>...`.

Run it with the Python the environment shall have. Every step leaves a stamp that holds the hash of what it was made
from, so that a second run of an unchanged step does nothing.

Steps: `deploy` what a deployer needs, `lambda` what the functions ship, `collections` the stock modules of the demo
and of the tests, `emulator` the local AWS in its own virtual environment, `dev` tests and linters, `node` the second
checker of the state machine definition (left out, with a word, where npm is absent).
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT_SECONDS = 5.0  # how often a long step says how far it is


class SetupError(Exception):
    """A step that failed; the message says what to do."""


class Setup:
    """One virtual environment and the steps that fill it."""

    def __init__(self, venv: Path) -> None:
        self.venv = venv
        self.log = venv / "setup.log"

    def run(self, steps: list[str]) -> None:
        """Run the steps that are not done yet, one process at a time per environment.

        Raises SetupError, with the fix, for the first one that fails.
        """
        self._create(self.venv)
        with (self.venv / ".setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for step in steps:
                if step == "node" and not shutil.which("npm"):
                    print("set-up: npm is not here, so asl-validator is left out. On Debian: apt-get install npm")
                    continue
                title, sources, action = self._steps()[step]
                stamp, fingerprint = self.venv / f".stamp-{step}", _fingerprint(sources)
                if stamp.is_file() and stamp.read_text() == fingerprint:
                    continue
                started = time.monotonic()
                print(f"set-up: {title} ...", flush=True)
                action()
                stamp.write_text(fingerprint)
                print(f"set-up: {title}: done in {time.monotonic() - started:.1f} s", flush=True)

    def _steps(self) -> dict[str, tuple[str, list[str], Callable[[], None]]]:
        """Per step: its title, the files it is made from, what it does."""
        return {
            "deploy": ("Ansible and boto3", ["requirements.txt"], lambda: self._pip("requirements.txt")),
            "lambda": (
                "the libraries of the functions",
                ["requirements-lambda.txt"],
                lambda: self._pip("requirements-lambda.txt"),
            ),
            "collections": (
                "the stock AWS modules",
                ["requirements-collections.txt", "scripts/install_collections.py"],
                self._collections,
            ),
            "emulator": ("the local AWS", ["requirements-emulator.txt"], self._emulator),
            "dev": ("tests and linters", ["requirements-dev.txt"], lambda: self._pip("requirements-dev.txt")),
            "node": ("asl-validator, by npm", ["package.json", "package-lock.json"], self._node),
        }

    def _create(self, venv: Path) -> None:
        """Make a virtual environment where there is none of this Python's version."""
        version = "{}.{}".format(*sys.version_info[:2])
        if _version_of(venv / "bin" / "python") == version:
            return
        try:
            import ensurepip  # noqa: F401
            import venv as _venv  # noqa: F401
        except ImportError as error:
            raise SetupError(
                f"{sys.executable} lacks the module {error.name}. On Debian: apt-get install python3-venv"
            ) from error
        print(f"set-up: Python {version} in {venv.relative_to(ROOT)} ({sys.executable})", flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        self._call([sys.executable, "-m", "venv", str(venv)])

    def _pip(self, requirements: str, venv: Path | None = None) -> None:
        """Install one pinned requirements file, saying how far it is."""
        python = str((venv or self.venv) / "bin" / "python")
        command = [python, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
        total = sum(1 for line in (ROOT / requirements).read_text().splitlines() if "==" in line)
        self._call([*command, "-r", requirements], count="Collecting ", total=total)

    def _collections(self) -> None:
        self._call([str(self.venv / "bin" / "python"), "scripts/install_collections.py"])

    def _emulator(self) -> None:
        nested = self.venv / "emulator"
        self._create(nested)
        self._pip("requirements-emulator.txt", nested)

    def _node(self) -> None:
        self._call(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"])

    def _call(self, command: list[str], count: str = "", total: int = 0) -> None:
        """Run a command with its output in the log; show the output's end when it fails."""
        lines: list[str] = []
        seen, reported = 0, time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            seen += bool(count) and line.startswith(count)
            if total and time.monotonic() - reported > REPORT_SECONDS:
                reported = time.monotonic()
                print(f"set-up:   {min(seen, total)} of {total} packages fetched", flush=True)
        if self.venv.is_dir():
            with self.log.open("a") as log:
                log.writelines([f"$ {' '.join(command)}\n", *lines])
        if process.wait():
            end = "".join(lines[-20:])
            raise SetupError(f"{end}\nthis failed: {' '.join(command)}\nthe whole output: {self.log}")


def _fingerprint(sources: list[str]) -> str:
    """The hash of this Python's version and of the files a step is made from.

    Raises SetupError when a file is missing, which means that the clone is not whole.
    """
    digest = hashlib.sha256(sys.version.encode())
    for source in sources:
        path = ROOT / source
        if not path.is_file():
            raise SetupError(f"{source} is missing; is this clone complete? Try: git checkout -- {source}")
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _version_of(python: Path) -> str | None:
    """'3.13' of an interpreter, None of one that is missing or does not run."""
    probe = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        return subprocess.run([python, "-c", probe], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("venv", help="the virtual environment, relative to the repository")
    parser.add_argument("steps", nargs="+", help="deploy, lambda, collections, emulator, dev, node")
    arguments = parser.parse_args()
    try:
        Setup(ROOT / arguments.venv).run(arguments.steps)
    except SetupError as error:
        sys.exit(f"set-up failed: {error}")


if __name__ == "__main__":
    main()

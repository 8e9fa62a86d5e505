"""Places, identity and processes on this machine.

Database servers refuse to run as root, so under root they run as `nobody`; then everything they touch has to be
reachable for `nobody`, which a checkout below /root is not. Unix socket paths end at 107 bytes, so sockets always live
in a short directory, the same one for every process whatever its TMPDIR is.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_RUN_ROOT = Path("/tmp")
_STOP_SECONDS = 5.0


def unprivileged() -> pwd.struct_passwd | None:
    """The user that servers run as, or None when this process is not root and they run as it does."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def reachable(path: Path) -> bool:
    """Can the user that servers run as get to `path`? Directories yet to be made count as open."""
    if unprivileged() is None:
        return True
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents if parent.exists())


class Host:
    """The directories of one emulator, and the servers it runs; made from its state directory alone, so that another
    process can find and clean up what a killed one left."""

    def __init__(self, state_dir: Path) -> None:
        digest = hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:10]
        self.run_dir = _RUN_ROOT / f"aurora-{digest}"
        self.data_dir = state_dir.resolve() / "aurora"
        if not reachable(self.data_dir):
            self.data_dir = self.run_dir / "data"

    def prepare(self) -> None:
        """Make the directories, empty."""
        self.remove()
        for directory in (self.run_dir, self.data_dir):
            directory.mkdir(parents=True, exist_ok=True)
            self.give(directory)

    def remove(self) -> None:
        """Kill every server that a former process left, and delete all data."""
        for pid_file in self.run_dir.glob("*/server.pid"):
            stop_leftover(pid_file)
        shutil.rmtree(self.data_dir, ignore_errors=True)
        shutil.rmtree(self.run_dir, ignore_errors=True)

    def give(self, path: Path) -> None:
        """Let the servers' user own `path`, alone."""
        user = unprivileged()
        if user is not None:
            os.chown(path, user.pw_uid, user.pw_gid)
        path.chmod(0o700 if path.is_dir() else 0o600)

    def run(self, argv: Sequence[str | Path], env: Mapping[str, str] | None = None, stdin: str = "") -> str:
        """Run a short command as the servers' user and return its output. Raises RuntimeError with its errors; the
        command's input is never shown."""
        done = subprocess.run(
            [str(part) for part in argv],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.run_dir,
            env=_environment(env),
            check=False,
            **_as_user(),
        )
        if done.returncode != 0:
            raise RuntimeError(f"{Path(argv[0]).name} failed: {done.stderr.strip()[-2000:]}")
        output: str = done.stdout
        return output

    def spawn(self, argv: Sequence[str | Path], run_dir: Path) -> subprocess.Popen[bytes]:
        """Start a server whose pid file and log lie in `run_dir`."""
        with (run_dir / "server.log").open("ab") as log:
            process = subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=run_dir,
                env=_environment(None),
                start_new_session=True,
                **_as_user(),
            )
        # The start time tells this process from a later one that was given the same pid.
        (run_dir / "server.pid").write_text(f"{process.pid} {_start_time(process.pid)}")
        return process

    def copy(self, source: Path, target: Path) -> None:
        """Copy a directory tree, owner and modes kept, sharing blocks where the file system can."""
        subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True, capture_output=True)

    def delete(self, path: Path) -> None:
        """Delete a directory tree."""
        shutil.rmtree(path, ignore_errors=True)


def stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Stop a server with `how`, its own word for it, and with SIGKILL when it does not listen."""
    process.send_signal(how)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process, with all its threads, for as long as the context lasts."""
    os.kill(pid, signal.SIGSTOP)
    try:
        # The signal is delivered to one thread after another.
        while any(_state(thread) not in ("T", "t", "Z") for thread in Path(f"/proc/{pid}/task").iterdir()):
            time.sleep(0.001)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _state(proc: Path) -> str:
    return (proc / "stat").read_text().rpartition(")")[2].split()[0]


def stop_leftover(pid_file: Path) -> None:
    """Stop the server of a pid file that a killed emulator left."""
    pid, started = pid_file.read_text().split()
    if _start_time(int(pid)) != started:
        return
    # To PostgreSQL and MariaDB alike this means: end at once, whoever is connected.
    os.kill(int(pid), signal.SIGQUIT)
    deadline = time.monotonic() + _STOP_SECONDS
    while _start_time(int(pid)) == started:
        if time.monotonic() > deadline:
            os.killpg(int(pid), signal.SIGKILL)
            return
        time.sleep(0.05)


def _start_time(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "gone"
    state, *fields = stat.rpartition(")")[2].split()
    return "gone" if state == "Z" else fields[18]


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC", **(extra or {})}


def _as_user() -> dict[str, Any]:
    user = unprivileged()
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

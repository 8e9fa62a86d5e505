"""The Lambda package: its size, how long a build takes, and what a cold start imports."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from statistics import median

from aurora_deploy.families.package import PackageSpec, ensure_package
from benchmarks import report
from benchmarks.forms import REPOSITORY

RUNS = 3
HANDLERS = ("acquire_lock", "handle_failure", "snapshot_check", "verify_restore")  # one of each kind
_IMPORT = "import aurora_restore.handlers.{0}, sys; print(len(sys.modules))"


def section(work: Path) -> str:
    """Return the section of RESULTS.md."""
    spec = PackageSpec(
        source=REPOSITORY / "lambdas" / "aurora_restore",
        requirements=REPOSITORY / "requirements-lambda.txt",
        ca_bundle=REPOSITORY / "roles" / "lambda" / "files" / "rds-global-bundle.pem",
        masking=REPOSITORY / "masking",
        output=work / "measured" / "package.zip",
        python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
    )
    seconds = []
    for _ in range(3):  # nothing there, then unchanged, then unchanged with everything in the page cache
        started = time.monotonic()
        package = ensure_package(spec)
        seconds.append(time.monotonic() - started)
    unpacked = work / "measured" / "unpacked"
    with zipfile.ZipFile(package.path) as archive:
        archive.extractall(unpacked)
        sizes = {name: archive.getinfo(name).file_size for name in archive.namelist()}
    tops: dict[str, int] = {}
    for name, size in sizes.items():
        top = name.split("/")[0]
        tops[top] = tops.get(top, 0) + size
    largest = sorted(tops.items(), key=lambda item: -item[1])
    rows = [[name, f"{size / 1024:.0f}"] for name, size in largest if size > 10240]
    lines = [
        f"{package.size / 1e6:.2f} MB, stored without compression: the same input gives the same bytes everywhere.",
        f"Build: {seconds[0]:.2f} s with nothing there, {seconds[2]:.3f} s when nothing changed.",
        "",
        *report.table(["part of the zip", "KB"], rows),
        "",
        f"Imports of a function from the unpacked zip, whole process, median of {RUNS}. The zip has no bytecode, and",
        "neither may /var/task: “compiled” is what a cold start costs, “with bytecode” what the imports alone cost.",
        "boto3 comes from the environment here, as it comes with the runtime at AWS.",
        "",
        *report.table(["handler", "compiled, ms", "with bytecode, ms", "modules"], _imports(unpacked)),
    ]
    return "\n".join(lines)


def _imports(unpacked: Path) -> list[list[str]]:
    rows = [["python alone", *(f"{_milliseconds('pass', unpacked, kept):.0f}" for kept in (False, True)), "-"]]
    for handler in HANDLERS:
        code = _IMPORT.format(handler)
        compiled = _milliseconds(code, unpacked, kept=False)
        modules = _run(code, unpacked, kept=True).strip()
        rows.append([handler, f"{compiled:.0f}", f"{_milliseconds(code, unpacked, kept=True):.0f}", modules])
    return rows


def _milliseconds(code: str, unpacked: Path, kept: bool) -> float:
    def once() -> float:
        started = time.monotonic()
        _run(code, unpacked, kept)
        return (time.monotonic() - started) * 1000

    if kept:
        once()  # writes the bytecode
    return median(once() for _ in range(RUNS))


def _run(code: str, unpacked: Path, kept: bool) -> str:
    """Run Python as the runtime does: the zip's folder first; bytecode of the zip's modules in a place of its own."""
    bytecode = {"PYTHONPYCACHEPREFIX": str(unpacked.parent / "bytecode")} if kept else {"PYTHONDONTWRITEBYTECODE": "1"}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(unpacked), **bytecode}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

"""Tables, and the file of results: one section a benchmark, each replaced when its benchmark is run again."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_HEADING = re.compile(r"^## ", re.MULTILINE)
_INTRODUCTION = """\
# Results

Written by `make bench`. The numbers are of one machine; the ratios and counts are what carries over. Nothing here was
run against AWS: there the activation of functions, NAT gateways, endpoints and the spreading of IAM changes dominate a
first deployment.
"""
_PACKAGES = ("ansible-core", "boto3", "botocore")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table."""
    lines = [list(header), ["---"] * len(header), *map(list, rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def write(file: Path, title: str, text: str) -> None:
    """Put a section into the file in the place of the one with the same title, or behind the last one."""
    parts = _HEADING.split(file.read_text(encoding="utf-8")) if file.exists() else []
    sections = {part.split("\n", 1)[0]: part.split("\n", 1)[1].strip() for part in parts[1:]}
    sections[title] = f"{_where()}\n\n{text}"
    body = "\n\n".join(f"## {name}\n\n{content}" for name, content in sections.items())
    file.write_text(f"{_INTRODUCTION}\n{body}\n", encoding="utf-8")


def _where() -> str:
    """Return when and on what a section was measured."""
    versions = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in _PACKAGES)]
    versions += [f"amazon.aws {found}"] if (found := _collection("amazon")) else []
    versions += [found for command in ("terraform", "aws") if (found := _command_version(command))]
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    load = f"load {os.getloadavg()[0]:.1f}"
    machine = f"{platform.system()} {platform.machine()}, {cores} cores, {load} when written"
    return f"{datetime.now(UTC):%Y-%m-%d}, {machine}; {', '.join(versions)}."


def _collection(namespace: str) -> str:
    """Return the version of an installed collection."""
    for folder in map(Path, sys.path):
        manifest = folder / "ansible_collections" / namespace / "aws" / "MANIFEST.json"
        if manifest.exists() and (found := re.search(r'"version": "([^"]+)"', manifest.read_text(encoding="utf-8"))):
            return found[1]
    return ""


def _command_version(command: str) -> str:
    if not shutil.which(command):
        return ""
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).split("\n", 1)[0].split(" Python")[0].strip() if done.returncode == 0 else ""

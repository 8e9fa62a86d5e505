"""scripts/find-python picks the newest Python that really runs, and says what to do when there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = "{}.{}".format(*sys.version_info[:2])


def find(repository: Path, path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script with a PATH and a home of its own."""
    return subprocess.run(
        ["/bin/sh", str(repository / "scripts" / "find-python"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{path}:/usr/bin:/bin", "HOME": str(path), **environment},
    )


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def version_of(python: str) -> str:
    command = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_version_managers_dead_shim_is_passed_over(repository: Path, tmp_path: Path) -> None:
    script(tmp_path / f"python{HERE}", "exit 127")
    script(tmp_path / ".pyenv" / "versions" / f"{HERE}.0" / "bin" / "python", f'exec {sys.executable} "$@"')
    found = find(repository, tmp_path, "--all").stdout.split()
    assert HERE in {version_of(one) for one in found}
    assert not any(one.startswith(str(tmp_path)) for one in found)


def test_versions_are_newest_first_and_the_first_is_the_choice(repository: Path, tmp_path: Path) -> None:
    for version in ("3.11", "3.13", "3.12"):
        script(tmp_path / f"python{version}", f'[ "$3" = {version} ] || [ $# -eq 2 ] && echo {version}')
    assert find(repository, tmp_path, "--all").stdout.split() == ["3.13", "3.12", "3.11"]
    assert find(repository, tmp_path).stdout.split() == ["3.13"]


def test_the_override_wins(repository: Path, tmp_path: Path) -> None:
    assert find(repository, tmp_path, PYTHON=sys.executable).stdout.strip() == sys.executable


@pytest.mark.parametrize("override", ["/nowhere/python", "/bin/false"])
def test_an_override_that_does_not_run_is_refused(repository: Path, tmp_path: Path, override: str) -> None:
    done = find(repository, tmp_path, PYTHON=override)
    assert done.returncode == 1
    assert f"PYTHON={override} does not run" in done.stderr

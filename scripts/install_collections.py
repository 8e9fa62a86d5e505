"""Put the collections amazon.aws and community.aws, and only these, into the running environment's site-packages.

The PyPI package `ansible` carries over a hundred collections, about half a gigabyte unpacked. The demo and the tests
need two of them, 9 MB. pip downloads the wheel and checks it against the hash in requirements-collections.txt, and
ansible-core finds `ansible_collections` in site-packages by itself. The deployment proper needs neither.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements-collections.txt"
COLLECTIONS = ("amazon/aws", "community/aws")


def download(directory: Path) -> Path:
    """Fetch the pinned wheel for this Python, verified by its hash; gives its path."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run(
        [*command, "--only-binary=:all:", "--require-hashes", "-r", str(REQUIREMENTS), "-d", str(directory)], check=True
    )
    (wheel,) = directory.glob("ansible-*.whl")
    return wheel


def unpack(wheel: Path, site_packages: Path) -> None:
    """Unpack the two collections, in place of what an earlier run left; their own tests stay behind."""
    for collection in COLLECTIONS:
        shutil.rmtree(site_packages / "ansible_collections" / collection, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        wanted = tuple(f"ansible_collections/{collection}/" for collection in COLLECTIONS)
        tests = tuple(f"{prefix}tests/" for prefix in wanted)
        members = [name for name in archive.namelist() if name.startswith(wanted) and not name.startswith(tests)]
        archive.extractall(site_packages, members)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="collections-") as directory:
        unpack(download(Path(directory)), Path(sysconfig.get_path("purelib")))


if __name__ == "__main__":
    main()

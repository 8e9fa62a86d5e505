"""The Lambda deployment package: one zip whose bytes depend on its input alone.

Entries are sorted, carry one fixed time and one fixed mode, and are stored without compression: zlib and zlib-ng
(which some Python builds link) deflate the same input to different bytes, and then two operators would replace each
other's code for ever. The zip holds no bytecode either: its bytes would depend on the Python that built it.

The build is skipped while the fingerprint of everything that goes in is unchanged; what it costs then is reading the
sources once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aurora_deploy.errors import DeployError

CA_BUNDLE_NAME = "rds-ca-bundle.pem"
# Lambda's limit for a zip uploaded in the request itself (Lambda quotas, "Deployment package size").
MAX_BYTES = 50 * 1024 * 1024

# Raise it when the layout of the zip changes, so that an unchanged input is built again.
_FORMAT = "1"
# The earliest time a zip entry can carry.
_ENTRY_TIME = (1980, 1, 1, 0, 0, 0)
_ENTRY_MODE = 0o100644 << 16
_IGNORED_DIRECTORIES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
# Of the dependencies: console scripts, what pip writes about the machine, and powertools' HTTP event handlers, which
# are half of all bytes and unused.
_PRUNED_DEPENDENCIES = ("bin/", "aws_lambda_powertools/event_handler/")
_PRUNED_METADATA = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})


@dataclass(frozen=True)
class PackageSpec:
    """What goes into the zip and where it goes.

    `source` is the directory of the Python package (its own name becomes the zip's top directory), `requirements` the
    hash-locked requirements file, `ca_bundle` the PEM file stored as `rds-ca-bundle.pem`, `masking` the directory whose
    SQL files are stored under `masking/` (it need not exist), `output` the zip, `python_version` the runtime's
    `<major>.<minor>`.
    """

    source: Path
    requirements: Path
    ca_bundle: Path
    masking: Path
    output: Path
    python_version: str


@dataclass(frozen=True)
class Package:
    """A built zip: `sha256` is base64, the form of Lambda's CodeSha256; `built` is False when it was current."""

    path: Path
    sha256: str
    size: int
    built: bool


def ensure_package(spec: PackageSpec) -> Package:
    """Build the zip unless one with the same input is there.

    Raises:
        DeployError: an input is missing, a dependency has no pure-Python wheel, or the zip is too large for Lambda.
    """
    _check_inputs(spec)
    own = dict(_own_entries(spec))
    fingerprint = _fingerprint(spec, own)
    record = spec.output.with_name(spec.output.name + ".json")
    current = _current(spec.output, record, fingerprint)
    if current is not None:
        return current
    entries = {**_dependency_entries(_dependencies(spec)), **own}
    content = write_zip(spec.output, entries)
    if len(content) > MAX_BYTES:
        raise DeployError(
            f"{spec.output} has {len(content)} bytes, Lambda takes {MAX_BYTES}. "
            f"Fix: remove dependencies from {spec.requirements}"
        )
    package = Package(spec.output, _code_sha256(content), len(content), built=True)
    _replace(record, json.dumps({"fingerprint": fingerprint, "sha256": package.sha256}).encode())
    return package


def write_zip(path: Path, entries: Mapping[str, bytes]) -> bytes:
    """Write `entries` (name in the zip -> content) to `path` in one atomic step; gives the bytes written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.SpooledTemporaryFile(max_size=MAX_BYTES) as buffer:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(entries):
                info = zipfile.ZipInfo(name, _ENTRY_TIME)
                info.create_system = 3  # Unix, whatever built it: the mode below is read under this system only
                info.external_attr = _ENTRY_MODE
                archive.writestr(info, entries[name])
        buffer.seek(0)
        content = buffer.read()
    _replace(path, content)
    return content


def _check_inputs(spec: PackageSpec) -> None:
    mistakes = []
    if not spec.source.is_dir():
        mistakes.append(f"the source directory {spec.source} does not exist")
    if not spec.requirements.is_file():
        mistakes.append(f"the requirements file {spec.requirements} does not exist")
    if not spec.ca_bundle.is_file():
        mistakes.append(f"the CA bundle {spec.ca_bundle} does not exist: set lambda_rds_ca_bundle to a PEM file")
    elif b"-----BEGIN CERTIFICATE-----" not in spec.ca_bundle.read_bytes():
        mistakes.append(
            f"the CA bundle {spec.ca_bundle} holds no PEM certificate: set lambda_rds_ca_bundle to a PEM file"
        )
    if mistakes:
        raise DeployError("the Lambda package cannot be built: " + "; ".join(mistakes))


def _own_entries(spec: PackageSpec) -> Iterator[tuple[str, bytes]]:
    for relative, path in _files(spec.source):
        yield f"{spec.source.name}/{relative}", path.read_bytes()
    yield CA_BUNDLE_NAME, spec.ca_bundle.read_bytes()
    for relative, path in _files(spec.masking):
        if relative.endswith(".sql"):
            yield f"masking/{relative}", path.read_bytes()


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    for directory, names, files in os.walk(root):
        names[:] = [name for name in names if name not in _IGNORED_DIRECTORIES and not name.startswith(".")]
        for file in files:
            if not file.endswith(".pyc") and not file.startswith("."):
                path = Path(directory, file)
                yield path.relative_to(root).as_posix(), path


def _fingerprint(spec: PackageSpec, own: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256(f"{_FORMAT}\0{spec.python_version}\0".encode())
    for name, content in sorted({**own, "\0requirements": spec.requirements.read_bytes()}.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _current(output: Path, record: Path, fingerprint: str) -> Package | None:
    try:
        known = json.loads(record.read_bytes())
        content = output.read_bytes()
    except (FileNotFoundError, ValueError):
        return None
    # The zip itself is hashed as well: a half-written or hand-edited one is built again.
    if known != {"fingerprint": fingerprint, "sha256": _code_sha256(content)}:
        return None
    return Package(output, known["sha256"], len(content), built=False)


def _dependencies(spec: PackageSpec) -> Path:
    """The directory with the installed dependencies, shared by every build under the same lock file."""
    key = hashlib.sha256(spec.requirements.read_bytes() + spec.python_version.encode()).hexdigest()[:16]
    target = spec.output.parent / f"lambda-dependencies-{key}"
    if target.is_dir():
        return target
    spec.output.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".lambda-dependencies-", dir=spec.output.parent))
    try:
        _pip_install(spec, scratch)
        try:
            scratch.rename(target)
        except OSError:
            # Another deployment made the same directory in the meantime; any other reason is an error.
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _pip_install(spec: PackageSpec, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--require-hashes", "--no-deps", "--no-compile", "--only-binary", ":all:"]
    command += ["--python-version", spec.python_version, "--implementation", "py", "--abi", "none", "--platform", "any"]
    command += ["--target", str(target), "--requirement", str(spec.requirements)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise DeployError(
            f"pip could not install {spec.requirements} (status {result.returncode}): {result.stderr.strip()[-2000:]}. "
            "Fix: check the package index, and that every requirement is locked with hashes and has a pure-Python wheel"
        )


def _dependency_entries(root: Path) -> dict[str, bytes]:
    return {relative: path.read_bytes() for relative, path in _files(root) if not _pruned(relative)}


def _pruned(relative: str) -> bool:
    in_metadata = relative.split("/", 1)[0].endswith(".dist-info")
    return relative.startswith(_PRUNED_DEPENDENCIES) or (
        in_metadata and relative.rsplit("/", 1)[-1] in _PRUNED_METADATA
    )


def _code_sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _replace(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise

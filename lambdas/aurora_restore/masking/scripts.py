"""The SQL files of a masking set, as the package carries them: `<set>/NNN_name.sql` and `<set>/probes/*.sql`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aurora_restore.db.statements import NotSql, Statement, only, split
from aurora_restore.errors import MaskingChanged, MaskingFailed

CHUNK_NAMES = ("chunk_from", "chunk_to")
BUILT_IN = frozenset({"salt", *CHUNK_NAMES})
_FILE = re.compile(r"\d{3}_[a-z0-9_]+\.sql")
_CHUNK_LINE = re.compile(r"^--\s*chunk:(?P<words>.*)$", re.MULTILINE)
_CHUNK = re.compile(r"table=(?P<table>\S+) key=(?P<key>\S+) size=(?P<size>[1-9]\d*)")
# A transaction belongs to the pipeline, which ties the progress to it.
_TRANSACTIONS = frozenset({"BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "END", "ABORT", "PREPARE"})


@dataclass(frozen=True)
class Chunk:
    """`-- chunk: table=shop.customers key=id size=5000`: so many rows a transaction, by an integer column."""

    table: str
    key: str
    size: int


@dataclass(frozen=True)
class Script:
    """One file. `name` is its path inside the set, `sha256` that of its bytes, in hexadecimal."""

    name: str
    sha256: str
    statements: tuple[Statement, ...]
    chunk: Chunk | None = None


@dataclass(frozen=True)
class MaskingSet:
    """All files of one set, in their order."""

    scripts: tuple[Script, ...]
    probes: tuple[Script, ...]

    def checksums(self) -> dict[str, str]:
        """SHA-256 by file."""
        return {script.name: script.sha256 for script in (*self.scripts, *self.probes)}


def load(directory: Path, name: str, engine: str, values: Collection[str]) -> MaskingSet:
    """Read the set `name` under `directory`; `values` are the names of the request's own placeholders.

    Raises MaskingFailed that lists every mistake of every file.
    """
    root = directory / name
    if not root.is_dir():
        there = ", ".join(sorted(path.name for path in directory.glob("*/"))) if directory.is_dir() else ""
        raise MaskingFailed(
            f"The deployed package has no masking set {name!r}; it has {there or 'none'}.",
            remedy=f"Put the files under masking/{name}/ and deploy the functions again, or correct masking.set.",
        )
    mistakes: list[str] = []
    scripts = [_read(path, path.name, engine) for path in sorted(root.glob("*.sql"))]
    probes = [_read(path, f"probes/{path.name}", engine) for path in sorted((root / "probes").glob("*.sql"))]
    for script in (*scripts, *probes):
        mistakes += [f"{script.name} {mistake}" for mistake in _mistakes(script, frozenset(values))]
    if not scripts:
        mistakes.append("there is no file NNN_name.sql")
    if mistakes:
        raise MaskingFailed(
            f"The masking set {name!r} cannot be used: {'; '.join(mistakes)}.",
            remedy=f"Correct the files under masking/{name}/ and deploy the functions again.",
        )
    found = [script.script for script in scripts if script.script]
    return MaskingSet(tuple(found), tuple(probe.script for probe in probes if probe.script))


def require_unchanged(found: MaskingSet, planned: Mapping[str, str]) -> None:
    """The files are those of the plan. Raises MaskingChanged that names those which differ."""
    present = found.checksums()
    differing = sorted(name for name in present.keys() | planned.keys() if present.get(name) != planned.get(name))
    if differing:
        raise MaskingChanged(f"Masking files changed after the plan was made: {', '.join(differing)}.")


def set_checksum(checksums: Mapping[str, str]) -> str:
    """One SHA-256 for a whole set: that of its lines `<sha256>  <name>`, sorted by name."""
    lines = "".join(f"{checksums[name]}  {name}\n" for name in sorted(checksums))
    return hashlib.sha256(lines.encode()).hexdigest()


@dataclass(frozen=True)
class _Read:
    name: str
    script: Script | None
    mistakes: tuple[str, ...]


def _read(path: Path, name: str, engine: str) -> _Read:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    try:
        text = content.decode("utf-8")
        probe = name.startswith("probes/")
        statements = [only(engine, text)] if probe else split(engine, text)
    except UnicodeDecodeError:
        return _Read(name, None, ("is not UTF-8",))
    except NotSql as error:
        return _Read(name, None, (str(error),))
    chunk, mistakes = _chunk(text)
    return _Read(name, Script(name, digest, tuple(statements), chunk), tuple(mistakes))


def _chunk(text: str) -> tuple[Chunk | None, list[str]]:
    line = _CHUNK_LINE.search(text)
    if line is None:
        return None, []
    found = _CHUNK.fullmatch(" ".join(line["words"].split()))
    if found is None:
        return None, ["has a chunk line that is not `-- chunk: table=<table> key=<column> size=<rows>`"]
    return Chunk(found["table"], found["key"], int(found["size"])), []


def _mistakes(read: _Read, values: frozenset[str]) -> Iterator[str]:
    yield from read.mistakes
    script = read.script
    if script is None:
        return
    if not (read.name.startswith("probes/") or _FILE.fullmatch(read.name)):
        yield "is not named NNN_name.sql, with three digits and lower-case letters, digits and _"
    if not script.statements:
        yield "holds no statement"
    for statement in script.statements:
        where = f"(line {statement.line})"
        if statement.keyword in _TRANSACTIONS:
            yield f"{where} begins or ends a transaction, which is the pipeline's business"
        unknown = sorted(set(statement.names) - BUILT_IN - values)
        if unknown:
            yield f"{where} has placeholders without a value: {', '.join(unknown)}"
        if script.chunk and not set(CHUNK_NAMES) <= set(statement.names):
            yield f"{where} is chunked and must use :chunk_from and :chunk_to"
        if not script.chunk and set(CHUNK_NAMES) & set(statement.names):
            yield f"{where} uses :chunk_from or :chunk_to, and the file has no chunk line"

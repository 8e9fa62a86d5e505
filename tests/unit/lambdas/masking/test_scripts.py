"""Masking files: what is taken, and how every mistake is told before anything runs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from aurora_restore.errors import MaskingChanged, MaskingFailed
from aurora_restore.masking.scripts import Chunk, load, require_unchanged, set_checksum

ENGINE = "aurora-postgresql"


def write(directory: Path, **files: str) -> None:
    for name, sql in files.items():
        path = directory / "shop" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".sql").write_text(sql, "utf-8")


def test_files_run_in_their_order_with_their_checksums(tmp_path: Path) -> None:
    chunk = "-- chunk: table=a.b  key=id size=10\nUPDATE a.b SET c = 1 WHERE id BETWEEN :chunk_from AND :chunk_to;"
    write(tmp_path, **{"020_b": "SELECT 1", "010_a": chunk, "probes__left": "SELECT :domain"})
    found = load(tmp_path, "shop", ENGINE, ["domain"])
    assert [script.name for script in found.scripts] == ["010_a.sql", "020_b.sql"]
    assert found.scripts[0].chunk == Chunk("a.b", "id", 10)
    assert found.checksums()["010_a.sql"] == hashlib.sha256(chunk.encode()).hexdigest()
    assert [probe.name for probe in found.probes] == ["probes/left.sql"]


@pytest.mark.parametrize(
    ("name", "sql", "mistake"),
    [
        ("10_short", "SELECT 1", "NNN_name.sql"),
        ("010_empty", "-- nothing", "holds no statement"),
        ("010_open", "SELECT 'a", "never ends, from line 1"),
        ("010_begin", "SELECT 1;\nCOMMIT;", "(line 2) begins or ends a transaction"),
        ("010_unknown", "SELECT :nosuch", "placeholders without a value: nosuch"),
        ("010_chunk", "-- chunk: key=id\nSELECT 1", "chunk line that is not"),
        ("010_unused", "-- chunk: table=t key=id size=1\nDELETE FROM t", "must use :chunk_from"),
        ("010_loose", "DELETE FROM t WHERE id > :chunk_from", "has no chunk line"),
        ("probes__two", "SELECT 1; SELECT 2", "2 statements instead of one"),
    ],
)
def test_a_mistake_names_file_and_place(tmp_path: Path, name: str, sql: str, mistake: str) -> None:
    write(tmp_path, **{"001_fine": "SELECT 1", name: sql})
    with pytest.raises(MaskingFailed) as caught:
        load(tmp_path, "shop", ENGINE, [])
    assert f"{name.replace('__', '/')}.sql" in caught.value.message
    assert mistake in caught.value.message


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, **{"010_a": "SELECT 'a", "020_b": "SELECT :b"})
    with pytest.raises(MaskingFailed, match=r"010_a\.sql .*; 020_b\.sql "):
        load(tmp_path, "shop", ENGINE, [])


def test_a_set_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    write(tmp_path, **{"010_a": "SELECT 1"})
    with pytest.raises(MaskingFailed, match="it has shop"):
        load(tmp_path, "crm", ENGINE, [])
    with pytest.raises(MaskingFailed, match="it has none"):
        load(tmp_path / "absent", "crm", ENGINE, [])


def test_a_changed_added_or_missing_file_is_named(tmp_path: Path) -> None:
    write(tmp_path, **{"010_a": "SELECT 1", "020_b": "SELECT 1"})
    planned = load(tmp_path, "shop", ENGINE, []).checksums()
    write(tmp_path, **{"010_a": "SELECT 2", "030_c": "SELECT 1"})
    (tmp_path / "shop" / "020_b.sql").unlink()
    with pytest.raises(MaskingChanged, match=r"010_a\.sql, 020_b\.sql, 030_c\.sql"):
        require_unchanged(load(tmp_path, "shop", ENGINE, []), planned)


def test_the_checksum_of_a_set_is_that_of_sha256sums_own_lines() -> None:
    lines = b"aa  010_a.sql\nbb  probes/left.sql\n"
    assert set_checksum({"probes/left.sql": "bb", "010_a.sql": "aa"}) == hashlib.sha256(lines).hexdigest()

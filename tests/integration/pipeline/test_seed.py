"""The demo's databases, made in one go and after an interruption."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.console import Console
from demo.databases import Databases, Login
from demo.seed import Seed
from demo.settings import SOURCE
from emulator.launcher import Emulator
from tests.integration.pipeline.conftest import LocalAws


@pytest.fixture
def seed(tmp_path: Path, repository: Path) -> Iterator[Seed]:
    """Nothing is there yet."""
    with Emulator(tmp_path / "state", aurora_scale=0) as emulator:
        aws = LocalAws(emulator, repository)
        databases = Databases(aws.client("rds"), aws.ca_file)
        logins = Login("source_admin", "source-password-1"), Login("target_admin", "target-password-1")
        yield Seed(aws.client("rds"), aws.client("kms"), databases, Console(), *logins)


def test_an_interrupted_seed_is_completed_by_the_next(seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(seed, "_load", interrupted)
        seed.sow()
    seed.sow()
    rows = {table: count for table, (count, _) in seed.databases.fingerprint(SOURCE, seed.source, "shop").items()}
    assert sorted(rows.values()) == [12_000, 30_000, 60_000]


def test_a_second_seed_leaves_the_source_alone(seed: Seed) -> None:
    seed.sow()
    with seed.databases.connect(SOURCE, seed.source, "shop") as connection:
        connection.cursor().execute("DELETE FROM shop.order_lines")
        connection.commit()
    before = seed.databases.fingerprint(SOURCE, seed.source, "shop")
    seed.sow()
    assert seed.databases.fingerprint(SOURCE, seed.source, "shop") == before

"""Whatever happens to the emulator, its database servers do not stay behind."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.aurora.engines.host import Host
from emulator.launcher import Emulator

from .conftest import Aws


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Emulator]:
    """An emulator that a test may kill."""
    with Emulator(tmp_path / "state", aurora_scale=0) as running:
        yield running


def _servers(emulator: Emulator) -> list[str]:
    """The command lines of the database servers over the emulator's data."""
    mark = str(Host(emulator.settings.state_dir).data_dir)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if mark in line:
            found.append(line)
    return found


def _soon(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


@pytest.fixture
def busy(own: Emulator) -> Emulator:
    """An emulator with a running database."""
    aws = Aws(own)
    aws.cluster("orders")
    aws.instance("orders-1", "orders")
    assert _servers(own)
    return own


def _kill(emulator: Emulator) -> None:
    assert emulator.pid is not None
    os.kill(emulator.pid, signal.SIGKILL)
    assert _soon(lambda: emulator.pid is None and not _listens(emulator))


def _listens(emulator: Emulator) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", emulator.settings.port)) == 0


def test_stopping_leaves_no_server_and_no_file(tmp_path: Path) -> None:
    with Emulator(tmp_path / "state", aurora_scale=0) as running:
        aws = Aws(running)
        aws.cluster("orders")
        aws.instance("orders-1", "orders")
        run_dir = Host(running.settings.state_dir).run_dir
        assert run_dir.exists()
    assert _servers(running) == []
    assert not (tmp_path / "state").exists()
    assert not run_dir.exists()


def test_stopping_cleans_up_after_a_killed_server(busy: Emulator) -> None:
    _kill(busy)
    assert _servers(busy), "a killed server cannot take its databases with it: there is something to clean up"
    busy.stop()
    assert _servers(busy) == []


def test_starting_again_cleans_up_after_a_killed_server(busy: Emulator) -> None:
    _kill(busy)
    left = set(_servers(busy))
    busy.start()
    assert left.isdisjoint(_servers(busy))
    assert Aws(busy).rds.describe_db_clusters()["DBClusters"] == []


def test_a_deleted_cluster_ends_its_server_and_gives_its_space_back(busy: Emulator) -> None:
    aws = Aws(busy)
    aws.cluster("brief")
    aws.instance("brief-1", "brief")
    running = len(_servers(busy))
    aws.rds.delete_db_instance(DBInstanceIdentifier="brief-1")
    assert _soon(lambda: len(_servers(busy)) < running)
    aws.rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier="brief-1", WaiterConfig={"Delay": 1})
    data = Host(busy.settings.state_dir).data_dir
    held = len(list(data.glob("db-*")))
    aws.rds.delete_db_cluster(DBClusterIdentifier="brief", SkipFinalSnapshot=True)
    assert _soon(lambda: len(list(data.glob("db-*"))) == held - 1)

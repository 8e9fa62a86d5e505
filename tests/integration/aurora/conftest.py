"""One emulator without delays for all tests here; every test has an AWS account of its own in it."""

from __future__ import annotations

import itertools
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pg8000.native
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from emulator.launcher import Emulator

PASSWORD = "correct-horse-1"
REGION = "us-east-1"
_PATIENCE_SECONDS = 20.0
_accounts = itertools.count(100000000001)


class Aws:
    """One account of the emulator, and shorthands for what every test does."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.account = str(next(_accounts))
        self.rds = self.client("rds")
        self.ca_file = emulator.settings.state_dir / "ca.pem"

    def client(self, service: str, region: str = REGION) -> Any:
        """A client of this account."""
        session: Any = boto3.session.Session()
        return session.client(
            service,
            endpoint_url=self.emulator.endpoint_url,
            region_name=region,
            aws_access_key_id=self.account,
            aws_secret_access_key="x",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def control(self, path: str, body: dict[str, Any]) -> Any:
        """Use one of the emulator's own controls for this account."""
        return self.emulator.request("POST", f"/_aurora/{path}?account={self.account}&region={REGION}", body)

    def cluster(self, name: str, engine: str = "aurora-postgresql", **parameters: Any) -> dict[str, Any]:
        """Create a cluster and wait for it."""
        parameters = {"MasterUsername": "boss", "MasterUserPassword": PASSWORD, "DatabaseName": "shop"} | parameters
        self.rds.create_db_cluster(DBClusterIdentifier=name, Engine=engine, **parameters)
        return self.settle(name)

    def instance(self, name: str, cluster: str, engine: str = "aurora-postgresql", **parameters: Any) -> dict[str, Any]:
        """Add an instance and wait for it."""
        parameters = {"DBInstanceClass": "db.r6g.large"} | parameters
        self.rds.create_db_instance(DBInstanceIdentifier=name, DBClusterIdentifier=cluster, Engine=engine, **parameters)
        return self.settle_instance(name)

    def snapshot(self, name: str, cluster: str, **parameters: Any) -> dict[str, Any]:
        """Take a snapshot and wait for it."""
        self.rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=cluster, **parameters)
        return self.settle_snapshot(name)

    def describe(self, name: str) -> dict[str, Any]:
        """A cluster as it is now."""
        found: dict[str, Any] = self.rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        return found

    def settle(self, name: str) -> dict[str, Any]:
        """Wait until a cluster is available."""
        return until(lambda: self.describe(name), lambda found: found["Status"] == "available")

    def settle_instance(self, name: str) -> dict[str, Any]:
        """Wait until an instance is available."""
        return until(
            lambda: self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0],
            lambda found: found["DBInstanceStatus"] == "available",
        )

    def settle_snapshot(self, name: str, rds: Any = None) -> dict[str, Any]:
        """Wait until a snapshot is available."""
        client = rds or self.rds
        return until(
            lambda: client.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)["DBClusterSnapshots"][0],
            lambda found: found["Status"] == "available",
        )

    @contextmanager
    def session(self, cluster: str, password: str = PASSWORD, user: str = "boss") -> Iterator[pg8000.native.Connection]:
        """A verified TLS session with a cluster's database `shop`."""
        found = self.describe(cluster)
        connection = pg8000.native.Connection(
            user,
            host=found["Endpoint"],
            port=found["Port"],
            password=password,
            database="shop",
            ssl_context=ssl.create_default_context(cafile=str(self.ca_file)),
            timeout=10,
        )
        try:
            yield connection
        finally:
            connection.close()

    def rows(self, cluster: str, **login: str) -> int:
        """How many rows the table `t` of a cluster has."""
        with self.session(cluster, **login) as session:
            return int(session.run("SELECT count(*) FROM t")[0][0])


def until(look: Callable[[], dict[str, Any]], done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Look until it is there and done; fails after a while with what was seen last."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            found = look()
        except ClientError as error:
            # What is being renamed is not there yet.
            assert "NotFound" in error.response["Error"]["Code"], error
            found = dict(error.response)
        else:
            if done(found):
                return found
            assert "failed" not in (found.get("Status"), found.get("DBInstanceStatus")), found
        assert time.monotonic() < deadline, f"still {found}"
        time.sleep(0.02)


def refused(call: Callable[..., Any], **parameters: Any) -> str:
    """The error code with which AWS refuses a call; fails when it does not."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The emulator of all tests here."""
    state_dir: Path = tmp_path_factory.mktemp("aurora") / "state"
    with Emulator(state_dir, aurora_scale=0) as running:
        yield running


@pytest.fixture
def aws(emulator: Emulator) -> Aws:
    """A fresh account."""
    return Aws(emulator)


@pytest.fixture
def other(emulator: Emulator) -> Aws:
    """A second fresh account."""
    return Aws(emulator)

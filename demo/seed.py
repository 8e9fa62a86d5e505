"""The demo's databases: a source with a real shop in it, its snapshot, and a target that holds older data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from demo.console import Console
from demo.databases import Databases, Login, totals
from demo.settings import DATABASE, NAME_PREFIX, SNAPSHOT, SOURCE, TARGET

_SHOP = (Path(__file__).parent / "shop.sql").read_text(encoding="utf-8")
#: Rows of customers, orders, order lines and the day of the newest order, of each side.
_SOURCE_ROWS = {"customers": 12_000, "orders": 30_000, "lines": 60_000, "until": "2026-11-22"}
_OLDER_ROWS = {"customers": 8_000, "orders": 20_000, "lines": 40_000, "until": "2026-05-01"}
_INSTANCE_CLASS = "db.r6g.large"


@dataclass
class Seed:
    """Makes what is missing; a second run finds it and only makes the target old again.

    `rds` is a boto3 client. `source` is the login of the source's master user, `target` that of the
    target's: the pipeline's own master secret, so that it fits before and after a restore.
    """

    rds: Any
    databases: Databases
    console: Console
    source: Login
    target: Login

    def sow(self) -> None:
        """Make source, snapshot and target."""
        made = [
            self._cluster(SOURCE, self.source, {}),
            self._cluster(TARGET, self.target, {f"{NAME_PREFIX}:target": "true"}),
        ]
        for cluster in (SOURCE, TARGET):
            self._wait_available(cluster)
        if made[0]:
            self._load(SOURCE, self.source, _SOURCE_ROWS)
        self._load(TARGET, self.target, _OLDER_ROWS)
        self._snapshot()

    def _cluster(self, name: str, login: Login, tags: dict[str, str]) -> bool:
        """Create a cluster with one instance; False if it exists."""
        try:
            self.rds.create_db_cluster(
                DBClusterIdentifier=name,
                Engine="aurora-postgresql",
                MasterUsername=login.username,
                MasterUserPassword=login.password,
                DatabaseName=DATABASE,
                StorageEncrypted=True,
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "DBClusterAlreadyExistsFault":
                raise
            self.console.say(f"{name} exists")
            return False
        self.rds.create_db_instance(
            DBInstanceIdentifier=f"{name}-1",
            DBClusterIdentifier=name,
            DBInstanceClass=_INSTANCE_CLASS,
            Engine="aurora-postgresql",
        )
        self.console.say(f"{name} is being created")
        return True

    def _wait_available(self, cluster: str) -> None:
        config = {"Delay": 1, "MaxAttempts": 300}
        self.rds.get_waiter("db_cluster_available").wait(DBClusterIdentifier=cluster, WaiterConfig=config)
        filters = [{"Name": "db-cluster-id", "Values": [cluster]}]
        self.rds.get_waiter("db_instance_available").wait(Filters=filters, WaiterConfig=config)
        self.console.say(f"{cluster} is available")

    def _load(self, cluster: str, login: Login, rows: dict[str, Any]) -> None:
        with self.databases.connect(cluster, login, DATABASE) as connection:
            cursor = connection.cursor()
            for statement in _SHOP.format(**rows).split(";\n"):
                if statement.strip():
                    cursor.execute(statement)
            connection.commit()
        self.console.say(f"{cluster} holds {totals(self.databases.fingerprint(cluster, login, DATABASE))}")

    def _snapshot(self) -> None:
        try:
            self.rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=SNAPSHOT, DBClusterIdentifier=SOURCE)
        except ClientError as error:
            if error.response["Error"]["Code"] != "DBClusterSnapshotAlreadyExistsFault":
                raise
        waiter = self.rds.get_waiter("db_cluster_snapshot_available")
        waiter.wait(DBClusterSnapshotIdentifier=SNAPSHOT, WaiterConfig={"Delay": 1, "MaxAttempts": 300})
        self.console.say(f"snapshot {SNAPSHOT} is available")

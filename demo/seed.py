"""The demo's databases: a source with a real shop in it, its snapshot, and a target that holds older data."""

from __future__ import annotations

from collections.abc import Callable
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
_PATIENCE = {"Delay": 1, "MaxAttempts": 300}  # seconds between two looks, and how many


@dataclass
class Seed:
    """Makes what is missing; a second run finds it and only makes the target old again, also after an interrupted one.

    The source has a KMS key of its own, the target the account's default one: so the restore has to copy the snapshot
    to encrypt it again. `rds` and `kms` are boto3 clients. `source` is the login of the source's master user, `target`
    that of the target's: the pipeline's own master secret, so that it fits before and after a restore.
    """

    rds: Any
    kms: Any
    databases: Databases
    console: Console
    source: Login
    target: Login

    def sow(self) -> None:
        """Make source, snapshot and target."""
        self._cluster(SOURCE, self.source, {}, KmsKeyId=self._source_key())
        self._cluster(TARGET, self.target, {f"{NAME_PREFIX}:target": "true"})
        for cluster in (SOURCE, TARGET):
            self.rds.get_waiter("db_cluster_available").wait(DBClusterIdentifier=cluster, WaiterConfig=_PATIENCE)
            self._instance(cluster)
        for cluster in (SOURCE, TARGET):
            filters = [{"Name": "db-cluster-id", "Values": [cluster]}]
            self.rds.get_waiter("db_instance_available").wait(Filters=filters, WaiterConfig=_PATIENCE)
            self.console.say(f"{cluster} is available")
        if not self._has_snapshot():  # made last: as long as there is none, the source may be empty or half full
            self._load(SOURCE, self.source, _SOURCE_ROWS)
        self._load(TARGET, self.target, _OLDER_ROWS)
        self._snapshot()

    def _cluster(self, name: str, login: Login, tags: dict[str, str], **options: str) -> None:
        """Create a cluster, unless it exists."""
        self._create(
            name,
            self.rds.create_db_cluster,
            "DBClusterAlreadyExistsFault",
            DBClusterIdentifier=name,
            Engine="aurora-postgresql",
            MasterUsername=login.username,
            MasterUserPassword=login.password,
            DatabaseName=DATABASE,
            StorageEncrypted=True,
            **options,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )

    def _source_key(self) -> str:
        alias = f"alias/{SOURCE}"
        try:
            return str(self.kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"])
        except self.kms.exceptions.NotFoundException:
            key = self.kms.create_key(Description=f"The databases of {SOURCE}")["KeyMetadata"]
            self.kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
            return str(key["Arn"])

    def _instance(self, cluster: str) -> None:
        """Give a cluster its writer, unless it has one."""
        if not self.rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]["DBClusterMembers"]:
            self.rds.create_db_instance(
                DBInstanceIdentifier=f"{cluster}-1",
                DBClusterIdentifier=cluster,
                DBInstanceClass=_INSTANCE_CLASS,
                Engine="aurora-postgresql",
            )

    def _has_snapshot(self) -> bool:
        found = self.rds.describe_db_cluster_snapshots(DBClusterIdentifier=SOURCE)["DBClusterSnapshots"]
        return any(snapshot["DBClusterSnapshotIdentifier"] == SNAPSHOT for snapshot in found)

    def _snapshot(self) -> None:
        """Take the snapshot that the restore will find; the source does not change between two demos."""
        self._create(
            SNAPSHOT,
            self.rds.create_db_cluster_snapshot,
            "DBClusterSnapshotAlreadyExistsFault",
            DBClusterSnapshotIdentifier=SNAPSHOT,
            DBClusterIdentifier=SOURCE,
        )
        waiter = self.rds.get_waiter("db_cluster_snapshot_available")
        waiter.wait(DBClusterSnapshotIdentifier=SNAPSHOT, WaiterConfig=_PATIENCE)
        self.console.say(f"{SNAPSHOT}, a snapshot of {SOURCE}, is available")

    def _create(self, name: str, create: Callable[..., Any], exists: str, **arguments: Any) -> None:
        """Call `create`, unless AWS answers with the error code `exists`."""
        try:
            create(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] != exists:
                raise
            self.console.say(f"{name} exists")
        else:
            self.console.say(f"{name} is being created")

    def _load(self, cluster: str, login: Login, rows: dict[str, Any]) -> None:
        with self.databases.connect(cluster, login, DATABASE) as connection:
            cursor = connection.cursor()
            for statement in _SHOP.format(**rows).split(";\n"):
                if statement.strip():
                    cursor.execute(statement)
            connection.commit()
        self.console.say(f"{cluster} holds {totals(self.databases.fingerprint(cluster, login, DATABASE))}")

"""Restores from every kind of source, with the roles' policies enforced: the rows tell where the data came from."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.databases import MASKED, Databases, Login
from tests.integration.pipeline.conftest import PREFIX, Played, Shop, wait_until

RESTORE = "playbooks/restore.yml"
OWN, OTHER, FAR = "000000000000", "210987654321", "eu-west-1"
NIGHTLY = "orders-prod-nightly"
WAIT = {"Delay": 1, "MaxAttempts": 120}
THEIR_ROWS = {"customers": 500, "orders": 900, "lines": 1800, "until": "2026-11-01"}
Rows = dict[str, tuple[int, str]]


@pytest.fixture(scope="module")
def nightly(shop: Shop) -> Iterator[Rows]:
    """The rows of the nightly snapshot. Afterwards the source goes on: it gains a customer while these tests run."""
    rows = shop.rows("orders-prod")
    with shop.databases.connect("orders-prod", shop.source, "shop") as connection:
        connection.cursor().execute("INSERT INTO shop.customers VALUES (0, 'Ida Late', 'ida@example.com', '+49 30 0')")
        connection.commit()
    yield rows
    with shop.databases.connect("orders-prod", shop.source, "shop") as connection:
        connection.cursor().execute("DELETE FROM shop.customers WHERE id = 0")
        connection.commit()


@pytest.fixture(autouse=True)
def tidy(shop: Shop) -> Iterator[None]:
    """What a test keeps is removed, and the source's rows and snapshots are as before."""
    before, rows, snapshots = set(shop.clusters()), shop.rows("orders-prod"), all_snapshots(shop)
    yield
    rds = shop.aws.client("rds")
    for cluster in set(shop.clusters()) - before:
        for instance in [name for name in shop.instances() if name.startswith(f"{cluster}-")]:
            rds.delete_db_instance(DBInstanceIdentifier=instance)
        rds.delete_db_cluster(DBClusterIdentifier=cluster, SkipFinalSnapshot=True)
    wait_until(lambda: set(shop.clusters()) == before, "the tidied clusters")
    assert shop.rows("orders-prod") == rows
    assert all_snapshots(shop) == snapshots


def all_snapshots(shop: Shop) -> list[tuple[str, str]]:
    """Region and name of every snapshot of the pipeline's account."""
    return [
        (region, item["DBClusterSnapshotIdentifier"])
        for region in ("us-east-1", FAR)
        for item in shop.aws.client("rds", region).describe_db_cluster_snapshots()["DBClusterSnapshots"]
    ]


def restore(shop: Shop, operation: str, target: str = "orders-staging", **variables: Any) -> Played:
    return shop.aws.play(RESTORE, target=target, operation=operation, **variables)


def restored(shop: Shop, operation: str, target: str = "orders-staging", **variables: Any) -> Played:
    """Restore to success, after the target was given a row of its own that has to be gone."""
    master = shop.aws.client("rds").describe_db_clusters(DBClusterIdentifier="orders-staging")["DBClusters"][0]
    login = Login(master["MasterUsername"], shop.target.password)
    with shop.databases.connect("orders-staging", login, "shop") as connection:
        connection.cursor().execute("INSERT INTO shop.customers VALUES (-1, 'Old One', 'old@example.com', '+49 30 1')")
        connection.commit()
    played = restore(shop, operation, target, **variables)
    assert played.code == 0, played.output
    return played


def failed(shop: Shop, operation: str, error: str, **variables: Any) -> str:
    """Restore to a typed failure, which leaves clusters, copies and rows as they were; gives its cause."""
    clusters, rows, snapshots = shop.clusters(), shop.rows("orders-staging"), all_snapshots(shop)
    played = restore(shop, operation, **variables)
    execution = shop.execution(operation)
    assert played.code != 0
    assert (execution["status"], execution["error"]) == ("FAILED", error), played.output
    assert (shop.clusters(), shop.rows("orders-staging"), all_snapshots(shop)) == (clusters, rows, snapshots)
    return str(execution["cause"])


def plan(shop: Shop, operation: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shop.execution(operation)["output"])["plan"]
    return found


def visited(shop: Shop, operation: str) -> set[str]:
    """The states that an execution has entered."""
    arn = f"arn:aws:states:us-east-1:{OWN}:execution:{PREFIX}-state-machine:{operation}"
    events = shop.aws.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    return {event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event}


class TestSnapshots:
    """The past: the nightly snapshot, which does not know the late customer."""

    def test_the_newest_of_a_date(self, shop: Shop, nightly: Rows) -> None:
        rds = shop.aws.client("rds")
        taken = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=NIGHTLY)["DBClusterSnapshots"][0]
        restored(shop, "of-date", source_date=f"{taken['SnapshotCreateTime'].astimezone(datetime.UTC):%Y-%m-%d}")
        assert plan(shop, "of-date")["source"]["snapshot_id"] == NIGHTLY
        assert shop.rows("orders-staging") == nightly != shop.rows("orders-prod")

    def test_a_date_without_a_snapshot(self, shop: Shop, nightly: Rows) -> None:
        assert "AR108" in failed(shop, "no-date", "SnapshotNotFound", source_date="2020-02-29")

    @pytest.fixture(scope="class")
    @classmethod
    def automated(cls, shop: Shop, nightly: Rows) -> str:
        """The ARN of a snapshot of the source as it is now; AWS alone removes automated ones."""
        name = "rds:orders-prod-2026-11-23-04-00"
        body = {"cluster": "orders-prod", "id": name, "type": "automated"}
        shop.aws.emulator.request("POST", "/_aurora/snapshots", body)
        wait_until(lambda: shop.clusters()["orders-prod"] == "available", "the end of the backup")
        return f"arn:aws:rds:us-east-1:{OWN}:cluster-snapshot:{name}"

    def test_an_automated_one_by_its_arn(self, shop: Shop, nightly: Rows, automated: str) -> None:
        restored(shop, "automated", source_snapshot=automated)
        assert shop.rows("orders-staging") == shop.rows("orders-prod") != nightly

    def test_a_copy_waits_for_one_of_the_five_slots(self, shop: Shop, nightly: Rows) -> None:
        rds, busy = shop.aws.client("rds"), [f"busy-{number}" for number in range(5)]
        shop.aws.emulator.request("POST", "/_aurora/scale", {"scale": 10})
        try:
            for name in busy:
                rds.copy_db_cluster_snapshot(
                    SourceDBClusterSnapshotIdentifier=NIGHTLY, TargetDBClusterSnapshotIdentifier=name
                )
            assert restore(shop, "queued-1", source_snapshot=NIGHTLY, follow=False).code == 0
            wait_until(lambda: "WaitForCopySlot" in visited(shop, "queued-1"), "the wait for a slot")
            assert ("us-east-1", "orders-staging-copy-queued-1") not in all_snapshots(shop)
        finally:
            for name in busy:
                rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
            shop.aws.emulator.request("POST", "/_aurora/scale", {"scale": 0.01})
        followed = shop.aws.play(RESTORE, operation="queued-1")
        assert followed.code == 0, followed.output
        assert shop.rows("orders-staging") == nightly

    def test_one_that_is_too_old(self, shop: Shop, nightly: Rows) -> None:
        cause = failed(shop, "too-old", "SnapshotTooOld", source_max_age_hours=0.0001)
        assert "AR120" in cause
        assert "source.max_age_hours" in cause


class TestClustersInBeing:
    """The present: the late customer is there."""

    def test_a_clone(self, shop: Shop, nightly: Rows) -> None:
        restored(shop, "cloned-1", "orders-staging-cloned")
        assert shop.rows("orders-staging") == shop.rows("orders-prod") != nightly
        described = shop.aws.client("rds").describe_db_clusters(DBClusterIdentifier="orders-staging")["DBClusters"][0]
        assert described["CloneGroupId"]
        assert plan(shop, "cloned-1")["restore"]["restore_type"] == "copy-on-write"

    def test_the_latest_restorable_time(self, shop: Shop, nightly: Rows) -> None:
        restored(shop, "to-the-minute", "orders-staging-to-the-minute")
        assert shop.rows("orders-staging") == shop.rows("orders-prod") != nightly
        assert plan(shop, "to-the-minute")["restore"]["api"] == "RestoreDBClusterToPointInTime"

    def test_a_point_in_time(self, shop: Shop, nightly: Rows) -> None:
        source = shop.aws.client("rds").describe_db_clusters(DBClusterIdentifier="orders-prod")["DBClusters"][0]
        time = f"{source['LatestRestorableTime'].astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        restored(shop, "at-a-time", source_time=time)
        assert plan(shop, "at-a-time")["restore"]["restore_to_time"] == time
        assert shop.rows("orders-staging") == shop.rows("orders-prod")

    def test_a_time_before_the_backups(self, shop: Shop, nightly: Rows) -> None:
        assert "AR124" in failed(shop, "before-time", "TimeNotRestorable", source_time="2020-02-29T00:00:00Z")

    def test_a_cluster_that_is_not_there(self, shop: Shop, nightly: Rows) -> None:
        source = {"type": "clone", "cluster": "orders-gone"}
        assert "AR122" in failed(shop, "no-source", "SourceNotFound", request={"source": source})


class Owner:
    """Another account with a shop of its own, whose snapshots it shares with the pipeline's."""

    def __init__(self, shop: Shop) -> None:
        self._aws = shop.aws
        self.rds = shop.aws.client("rds", account=OTHER)
        self.databases = Databases(self.rds, shop.aws.ca_file)
        self.login = Login("their_admin", "their-password-1")

    def key(self, region: str) -> str:
        """A customer key whose policy admits the pipeline's account."""
        principals = [f"arn:aws:iam::{account}:root" for account in (OTHER, OWN)]
        statement = {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "kms:*", "Resource": "*"}
        kms = self._aws.client("kms", region, OTHER)
        return str(kms.create_key(Policy=json.dumps({"Statement": [statement]}))["KeyMetadata"]["Arn"])

    def open(self) -> Rows:
        """Make the cluster `orders-prod` with its rows, under the account's aws/rds key."""
        self.rds.create_db_cluster(
            DBClusterIdentifier="orders-prod",
            Engine="aurora-postgresql",
            MasterUsername=self.login.username,
            MasterUserPassword=self.login.password,
            DatabaseName="shop",
            StorageEncrypted=True,
        )
        self.rds.get_waiter("db_cluster_available").wait(DBClusterIdentifier="orders-prod", WaiterConfig=WAIT)
        self.rds.create_db_instance(
            DBInstanceIdentifier="orders-prod-1",
            DBClusterIdentifier="orders-prod",
            DBInstanceClass="db.r6g.large",
            Engine="aurora-postgresql",
        )
        self.rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="orders-prod-1", WaiterConfig=WAIT)
        statements = (Path(__file__).parents[3] / "demo" / "shop.sql").read_text("utf-8").format(**THEIR_ROWS)
        with self.databases.connect("orders-prod", self.login, "shop") as connection:
            for statement in filter(str.strip, statements.split(";\n")):
                connection.cursor().execute(statement)
            connection.commit()
        self.rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="theirs", DBClusterIdentifier="orders-prod")
        self._wait(self.rds, "theirs")
        return self.databases.fingerprint("orders-prod", self.login, "shop", without=MASKED)

    def share(self, region: str) -> str:
        """As docs/sources.md tells an owner: copy under a customer key, share the copy. Returns its ARN."""
        rds = self._aws.client("rds", region, OTHER)
        source = self.rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier="theirs")["DBClusterSnapshots"][0]
        copied = rds.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier=source["DBClusterSnapshotArn"],
            TargetDBClusterSnapshotIdentifier="theirs-shared",
            KmsKeyId=self.key(region),
            SourceRegion="us-east-1",
        )
        self._wait(rds, "theirs-shared")
        rds.modify_db_cluster_snapshot_attribute(
            DBClusterSnapshotIdentifier="theirs-shared", AttributeName="restore", ValuesToAdd=[OWN]
        )
        return str(copied["DBClusterSnapshot"]["DBClusterSnapshotArn"])

    def snapshots(self) -> list[str]:
        found = [
            self._aws.client("rds", region, OTHER).describe_db_cluster_snapshots() for region in ("us-east-1", FAR)
        ]
        return [item["DBClusterSnapshotIdentifier"] for page in found for item in page["DBClusterSnapshots"]]

    @staticmethod
    def _wait(rds: Any, name: str) -> None:
        waiter = rds.get_waiter("db_cluster_snapshot_available")
        waiter.wait(DBClusterSnapshotIdentifier=name, WaiterConfig=WAIT)


class TestAnotherAccount:
    """Shared snapshots, in this region and in another."""

    rows: Rows
    owner: Owner

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def shared(cls, shop: Shop) -> Iterator[None]:
        cls.owner = Owner(shop)
        cls.rows = cls.owner.open()
        cls.here, cls.far = cls.owner.share("us-east-1"), cls.owner.share(FAR)
        yield
        assert cls.owner.snapshots() == ["theirs", "theirs-shared", "theirs-shared"]
        cls.owner.rds.delete_db_instance(DBInstanceIdentifier="orders-prod-1")
        cls.owner.rds.delete_db_cluster(DBClusterIdentifier="orders-prod", SkipFinalSnapshot=True)

    @pytest.fixture(scope="class")
    @classmethod
    def allowed(cls, shop: Shop, shared: None) -> Iterator[None]:
        """The inventory names the account besides the one of its example; afterwards it does not."""
        shop.aws.deploy("--tags", "iam", source_accounts=[OTHER, "345678901234"])
        yield
        shop.aws.deploy("--tags", "iam")

    here: str
    far: str

    def test_an_account_that_the_inventory_does_not_name_is_refused_by_the_roles(self, shop: Shop) -> None:
        cause = failed(shop, "not-named", "AccessDenied", source_snapshot=self.here)
        assert f"source_accounts of the inventory names {OTHER}" in cause

    def test_what_is_not_shared(self, shop: Shop) -> None:
        cause = failed(shop, "not-shared", "SnapshotNotShared", source_snapshot=self.here.removesuffix("-shared"))
        assert "AR121" in cause
        assert "kms:CreateGrant" in cause

    def test_the_latest_that_it_shares_in_this_region(self, shop: Shop, allowed: None) -> None:
        restored(shop, "shared-here", request={"source": {"account": OTHER}})
        assert shop.rows("orders-staging") == self.rows != shop.rows("orders-prod")
        assert [hop["region"] for hop in plan(shop, "shared-here")["copy"]["hops"]] == ["us-east-1"]

    def test_a_dry_run_tells_both_hops(self, shop: Shop, allowed: None) -> None:
        played = restore(shop, "dry-hops", source_snapshot=self.far, dry_run=True)
        assert played.code == 0, played.output
        assert f"to orders-staging-hop-dry-hops in {FAR} under arn:aws:kms:{FAR}:{OWN}:alias/aws/rds" in played.output
        assert "to orders-staging-copy-dry-hops in us-east-1 under arn:aws:kms:us-east-1" in played.output

    def test_one_in_another_region_in_two_hops(self, shop: Shop, allowed: None) -> None:
        played = restored(shop, "two-hops", source_snapshot=self.far)
        assert shop.rows("orders-staging") == self.rows
        assert [hop["region"] for hop in plan(shop, "two-hops")["copy"]["hops"]] == [FAR, "us-east-1"]
        assert "copy 1 of 2" in played.output
        assert "copy 2 of 2" in played.output

    def test_a_failure_after_two_hops_removes_both(self, shop: Shop, allowed: None) -> None:
        checks = {"database": "shop", "tables": [{"name": "shop.orders", "min_rows": 10_000_000}]}
        cause = failed(shop, "failed-hops", "VerificationFailed", source_snapshot=self.far, request={"verify": checks})
        assert "shop.orders" in cause

"""aurora-mysql from end to end: a restore by the runbook, and what is in the databases afterwards."""

from __future__ import annotations

import json
import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
import pytest
from pymysql.err import OperationalError

from demo.databases import Login
from tests.integration.pipeline.conftest import PREFIX, LocalAws, Played, wait_until

ENGINE = "aurora-mysql"
SOURCE, TARGET = "crm-prod", "crm-staging"
PRODUCTION = Login("boss", "production-password-1")
CONTACTS = 1200
TARGETS = {
    TARGET: {
        "source": {"type": "latest_snapshot", "cluster": SOURCE},
        "users": [
            {"secret": f"{PREFIX}/app-credentials", "access": "read_write", "database": "crm", "schemas": ["crm"]},
            {"secret": f"{PREFIX}/reader", "access": "read_only", "database": "crm", "schemas": ["crm"]},
        ],
        "masking": {"database": "crm"},
        "verify": {
            "database": "crm",
            "tables": [{"name": "crm.contacts", "min_rows": CONTACTS, "max_rows": CONTACTS}],
            "freshness": [{"table": "crm.contacts", "column": "seen_at", "max_age_hours": 24}],
            "queries": [{"name": "no nameless contact", "sql": "SELECT COUNT(*) FROM crm.contacts WHERE name = ''",
                         "expect": 0}],
        },
    }
}  # fmt: skip
pytestmark = pytest.mark.skipif(
    shutil.which("mariadbd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") is None,
    reason="mariadbd is missing: install Debian's mariadb-server-core",
)


class Crm:
    """The clusters, and ways to look at their rows."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.rds = aws.client("rds")

    @contextmanager
    def session(self, cluster: str, login: Login) -> Iterator[Any]:
        found = self.describe(cluster)
        connection = pymysql.connect(
            host=found["Endpoint"],
            port=found["Port"],
            user=login.username,
            password=login.password.encode(),  # PyMySQL would encode text as Latin-1
            database="crm",
            ssl=ssl.create_default_context(cafile=str(self.aws.ca_file)),
            autocommit=True,
        )
        with connection, connection.cursor() as cursor:
            yield cursor

    def describe(self, cluster: str) -> dict[str, Any]:
        found: dict[str, Any] = self.rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]
        return found

    def names(self) -> set[str]:
        return {each["DBClusterIdentifier"] for each in self.rds.describe_db_clusters()["DBClusters"]}

    def remove(self) -> None:
        """Leave the account as it was: other tests look at all that stands in it."""
        for cluster in filter(lambda name: name.startswith("crm-"), self.names()):
            for member in self.describe(cluster)["DBClusterMembers"]:
                self.rds.delete_db_instance(DBInstanceIdentifier=member["DBInstanceIdentifier"])
            self.rds.delete_db_cluster(DBClusterIdentifier=cluster, SkipFinalSnapshot=True)
        self.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="crm-nightly")
        wait_until(lambda: not any(name.startswith("crm-") for name in self.names()), "the clusters vanish")

    def contacts(self, cluster: str, login: Login) -> tuple[int, int]:
        """How many there are, and how many of them are masked."""
        with self.session(cluster, login) as cursor:
            cursor.execute("SELECT COUNT(*), SUM(email LIKE '%@masked.invalid' AND phone LIKE '+00 %') FROM contacts")
            count, masked = cursor.fetchone()
            return int(count), int(masked)

    def make(self, cluster: str, tags: list[dict[str, str]], group: str, contacts: int) -> None:
        self.rds.create_db_cluster(
            DBClusterIdentifier=cluster,
            Engine=ENGINE,
            MasterUsername=PRODUCTION.username,
            MasterUserPassword=PRODUCTION.password,
            DatabaseName="crm",
            DBClusterParameterGroupName=group,
            StorageEncrypted=True,
            Tags=tags,
        )
        wait = {"Delay": 1, "MaxAttempts": 60}
        self.rds.get_waiter("db_cluster_available").wait(DBClusterIdentifier=cluster, WaiterConfig=wait)
        instance = f"{cluster}-1"
        self.rds.create_db_instance(
            DBInstanceIdentifier=instance, DBClusterIdentifier=cluster, DBInstanceClass="db.r6g.large", Engine=ENGINE
        )
        self.rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=instance, WaiterConfig=wait)
        with self.session(cluster, PRODUCTION) as cursor:
            cursor.execute(
                "CREATE TABLE contacts (id int AUTO_INCREMENT PRIMARY KEY, name varchar(80) NOT NULL, "
                "email varchar(120), phone varchar(40), seen_at timestamp NULL)"
            )
            cursor.execute(
                "INSERT INTO contacts (name, email, phone, seen_at) SELECT CONCAT('Ann ', seq), "
                f"CONCAT('ann', seq, '@mail.org'), CONCAT('+49 30 ', 1000000 + seq), NOW() FROM seq_1_to_{contacts}"
            )
            cursor.execute("CREATE USER old_app@'%' IDENTIFIED BY 'production'")
            cursor.execute("GRANT SELECT, INSERT, DROP ON crm.* TO old_app@'%'")


@pytest.fixture(scope="module")
def crm(deployed: LocalAws) -> Iterator[Crm]:
    made = Crm(deployed)
    group = "crm-lower-case"
    made.rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=group, DBParameterGroupFamily="aurora-mysql8.0", Description="names in lower case"
    )
    deployed.client("secretsmanager").create_secret(
        Name=f"{PREFIX}/reader", SecretString=json.dumps({"username": "reader", "password": 'Read\'er "100%" $ü'})
    )
    made.make(SOURCE, [], group, CONTACTS)
    made.make(TARGET, [{"Key": f"{PREFIX}:target", "Value": "true"}], group, 5)
    made.rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="crm-nightly", DBClusterIdentifier=SOURCE)
    made.rds.get_waiter("db_cluster_snapshot_available").wait(
        DBClusterSnapshotIdentifier="crm-nightly", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    yield made
    made.remove()


def restore(crm: Crm, operation: str, **variables: Any) -> Played:
    return crm.aws.play(
        "playbooks/restore.yml", restore_targets=TARGETS, target=TARGET, operation=operation, **variables
    )


def test_a_verification_that_fails_leaves_the_target_as_it_was(crm: Crm) -> None:
    before = crm.names()
    checks = {"database": "crm", "tables": [{"name": "crm.contacts", "min_rows": CONTACTS + 1}]}
    played = restore(crm, "crm-too-few", request={"verify": checks})
    assert played.code != 0
    assert "AR405" in played.output
    assert crm.names() == before
    assert crm.contacts(TARGET, PRODUCTION) == (5, 0)


def test_a_whole_restore(crm: Crm) -> None:
    played = restore(crm, "crm-whole")
    assert played.code == 0, played.output
    master = Login(PRODUCTION.username, crm.aws.secret("master-credentials").password)
    assert crm.contacts(TARGET, master) == (CONTACTS, CONTACTS)
    assert crm.contacts(SOURCE, PRODUCTION) == (CONTACTS, 0)
    assert crm.contacts(f"{TARGET}-old-crm-whole", PRODUCTION) == (5, 0)
    found = crm.describe(TARGET)
    assert (found["Engine"], found["Port"], found["DBClusterParameterGroup"]) == (ENGINE, 3306, "crm-lower-case")
    with crm.session(TARGET, crm.aws.secret("app-credentials")) as cursor:
        cursor.execute("UPDATE contacts SET name = 'Bea' WHERE id = 1")
        with pytest.raises(OperationalError, match="1142"):
            cursor.execute("DROP TABLE contacts")
    with crm.session(TARGET, crm.aws.secret("reader")) as cursor:
        assert cursor.execute("SELECT id FROM contacts") == CONTACTS
        with pytest.raises(OperationalError, match="1142"):
            cursor.execute("UPDATE contacts SET name = 'Cem'")
    with pytest.raises(OperationalError, match="1045"), crm.session(TARGET, PRODUCTION):
        pass


def test_rds_keeps_the_master_password_on_request(crm: Crm) -> None:
    """The roles are enforced: without `iam_managed_master` the functions may not read the secret that RDS makes."""
    crm.aws.deploy("--tags", "iam", iam_managed_master=True)
    credentials = {"master": "managed", "keep_logins": ["old_app"]}
    played = restore(crm, "crm-managed", request={"credentials": credentials, "users": []})
    assert played.code == 0, played.output
    arn = crm.describe(TARGET)["MasterUserSecret"]["SecretArn"]
    secret = json.loads(crm.aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    master = Login(PRODUCTION.username, secret["password"])
    assert crm.contacts(TARGET, master) == (CONTACTS, CONTACTS)
    with crm.session(TARGET, Login("old_app", "production")) as cursor:
        assert cursor.execute("SELECT id FROM contacts LIMIT 1") == 1
    assert master.password not in played.output
    crm.aws.deploy("--tags", "iam")

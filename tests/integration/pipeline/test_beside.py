"""Restores beside the target: what the new cluster is like, and who holds its master password."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError

from demo.databases import Login
from tests.integration.pipeline.conftest import Played, Shop, wait_until

TARGET = "orders-staging"


@pytest.fixture(autouse=True)
def tidy(shop: Shop) -> Iterator[None]:
    """What a test leaves beside the target is removed."""
    before = set(shop.clusters())
    yield
    rds = shop.aws.client("rds")
    for cluster in set(shop.clusters()) - before:
        for member in described(shop, cluster)["DBClusterMembers"]:
            rds.delete_db_instance(DBInstanceIdentifier=member["DBInstanceIdentifier"])
        rds.delete_db_cluster(DBClusterIdentifier=cluster, SkipFinalSnapshot=True)
    wait_until(lambda: set(shop.clusters()) == before, "the tidied clusters")


def described(shop: Shop, cluster: str) -> dict[str, Any]:
    found: dict[str, Any] = shop.aws.client("rds").describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]
    return found


def restore(shop: Shop, operation: str, **request: Any) -> Played:
    request = {"strategy": "side_by_side", "masking": None, **request}
    played = shop.aws.play("playbooks/restore.yml", target=TARGET, operation=operation, request=request)
    assert played.code == 0, played.output
    return played


def test_the_new_cluster_is_like_the_target_but_for_what_the_request_says(shop: Shop) -> None:
    rds = shop.aws.client("rds")
    rds.enable_http_endpoint(ResourceArn=described(shop, TARGET)["DBClusterArn"])
    changes = {"PreferredBackupWindow": "01:00-02:00", "EnableLocalWriteForwarding": True}
    rds.modify_db_cluster(DBClusterIdentifier=TARGET, **changes)
    settings = {"performance_insights": True, "performance_insights_retention_days": 465}
    members = [{"tier": 0}, {"class": "db.t4g.medium", "tier": 15, "tags": {"role": "reports"}}]
    instances = {"count": None, "class": None, **settings, "members": members}
    cluster = {"database_insights": "advanced", "backup_retention_days": 3, "tags": {"purpose": "drill"}}
    restore(shop, "beside-topology", instances=instances, cluster=cluster)
    made = described(shop, f"{TARGET}-beside-topology")
    assert (made["HttpEndpointEnabled"], made["LocalWriteForwardingStatus"]) == (True, "enabled")
    assert (made["PreferredBackupWindow"], made["BackupRetentionPeriod"]) == ("01:00-02:00", 3)
    assert (made["DatabaseInsightsMode"], made["PerformanceInsightsRetentionPeriod"]) == ("advanced", 465)
    assert {"Key": "purpose", "Value": "drill"} in made["TagList"]
    names = [member["DBInstanceIdentifier"] for member in made["DBClusterMembers"]]
    found = [rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0] for name in names]
    assert [(each["DBInstanceClass"], each["PromotionTier"]) for each in found] == [
        ("db.r6g.large", 0),
        ("db.t4g.medium", 15),
    ]
    assert [each["PerformanceInsightsRetentionPeriod"] for each in found] == [465, 465]
    assert [{"Key": "role", "Value": "reports"} in each["TagList"] for each in found] == [False, True]


def test_rds_keeps_the_master_password_on_request(shop: Shop) -> None:
    """The roles are enforced: without `iam_managed_master` the functions may not read the secret that RDS makes."""
    shop.aws.deploy("--tags", "iam", iam_managed_master=True)
    played = restore(shop, "beside-managed", credentials={"master": "managed"})
    made = described(shop, f"{TARGET}-beside-managed")
    kept = made["MasterUserSecret"]
    assert kept["SecretStatus"] == "active"
    text = shop.aws.client("secretsmanager").get_secret_value(SecretId=kept["SecretArn"])["SecretString"]
    secret = json.loads(text)
    assert secret["username"] == made["MasterUsername"]
    assert secret["password"] not in {shop.source.password, shop.aws.secret("master-credentials").password}
    name, master = made["DBClusterIdentifier"], Login(secret["username"], secret["password"])
    with shop.databases.connect(name, master, "shop") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT current_user, count(*) FROM shop.customers")
        assert cursor.fetchone() == [made["MasterUsername"], shop.rows("orders-prod")["shop.customers"][0]]
    for old in (shop.source.password, shop.aws.secret("master-credentials").password):
        login = Login(made["MasterUsername"], old)
        with pytest.raises(DatabaseError, match="28P01"), shop.databases.connect(name, login, "shop"):
            pass
    assert secret["password"] not in played.output + json.dumps(shop.execution("beside-managed"), default=str)
    shop.aws.deploy("--tags", "iam")

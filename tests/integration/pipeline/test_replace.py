"""The strategy `replace` by the runbook: the target's rows before, meanwhile in its final snapshot, and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pg8000.dbapi import DatabaseError

from demo.databases import Login
from tests.integration.pipeline.conftest import PREFIX, Played, Shop, lasting_waits, wait_until

TARGET, DECLARED = "orders-staging", "orders-staging-in-place"
KEEPER = Login("keeper", "a-password-of-old-1")
NIGHTLY = "orders-prod-nightly"


def replace(shop: Shop, operation: str, **variables: Any) -> Played:
    return shop.aws.play("playbooks/restore.yml", target=DECLARED, operation=operation, **variables)


def final(operation: str) -> str:
    return f"{TARGET}-final-{operation}"


def snapshots(shop: Shop) -> set[str]:
    found = shop.aws.client("rds").describe_db_cluster_snapshots()["DBClusterSnapshots"]
    return {item["DBClusterSnapshotIdentifier"] for item in found}


def described(shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = shop.aws.client("rds").describe_db_clusters(DBClusterIdentifier=TARGET)["DBClusters"][0]
    return found


def count_of_orders(shop: Shop, login: Login) -> int:
    with shop.databases.connect(TARGET, login, "shop") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM shop.orders")
        return int(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def final_snapshots_go(shop: Shop) -> Iterator[None]:
    """The pipeline never removes them; the tests that follow look at all that stands in the account."""
    before = snapshots(shop)
    yield
    for name in snapshots(shop) - before:
        shop.aws.client("rds").delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)


@pytest.fixture
def a_login_of_the_target(shop: Shop) -> Iterator[Login]:
    """An application's login that only the target has, and deletion protection."""
    with shop.databases.connect(TARGET, shop.login(TARGET), "shop") as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE ROLE {KEEPER.username} LOGIN PASSWORD '{KEEPER.password}'")
        cursor.execute(f"GRANT USAGE ON SCHEMA shop TO {KEEPER.username}")
        cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {KEEPER.username}")
        connection.commit()
    rds = shop.aws.client("rds")
    rds.modify_db_cluster(DBClusterIdentifier=TARGET, DeletionProtection=True, ApplyImmediately=True)
    yield KEEPER
    rds.modify_db_cluster(DBClusterIdentifier=TARGET, DeletionProtection=False, ApplyImmediately=True)
    with shop.databases.connect(TARGET, shop.login(TARGET), "shop") as connection:
        cursor = connection.cursor()
        cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA shop FROM {KEEPER.username}")
        cursor.execute(f"REVOKE ALL ON SCHEMA shop FROM {KEEPER.username}")
        cursor.execute(f"DROP ROLE {KEEPER.username}")
        connection.commit()


def test_the_plan_says_plainly_that_the_target_goes_first(shop: Shop) -> None:
    before = shop.clusters()
    played = replace(shop, "replace-plan", dry_run=True)
    assert played.code == 0, played.output
    assert f"REMOVES       {TARGET} before the new cluster is proven" in played.output
    assert "no more instances than before" in played.output
    assert f"the target can be made again from {final('replace-plan')}" in played.output
    assert shop.clusters() == before


def test_a_verification_that_fails_brings_the_target_back_with_its_rows(
    shop: Shop, a_login_of_the_target: Login
) -> None:
    rows, clusters, instances = shop.rows(TARGET), shop.clusters(), shop.instances()
    orders, original = count_of_orders(shop, a_login_of_the_target), described(shop)
    checks = {"database": "shop", "tables": [{"name": "shop.orders", "min_rows": 10_000_000}]}
    played = replace(shop, "replace-fails", source_snapshot=NIGHTLY, request={"verify": checks})
    assert played.code != 0
    assert "VerificationFailed (AR405)" in played.output
    assert f"cluster {TARGET} was brought back from its final snapshot {final('replace-fails')}" in played.output
    back = described(shop)
    assert back["DbClusterResourceId"] != original["DbClusterResourceId"]
    assert (shop.rows(TARGET), shop.clusters(), shop.instances()) == (rows, clusters, instances)
    assert count_of_orders(shop, a_login_of_the_target) == orders
    for same in ("DeletionProtection", "KmsKeyId", "Port", "DBClusterParameterGroup", "EngineVersion", "Endpoint"):
        assert back.get(same) == original.get(same), same
    tags = {tag["Key"]: tag["Value"] for tag in back["TagList"]}
    assert (tags[f"{PREFIX}:target"], tags[f"{PREFIX}:restored-by"]) == ("true", "replace-fails")
    assert snapshots(shop) >= {final("replace-fails")}
    assert shop.lock_owner(TARGET) == ""
    item = shop.item("replace-fails")
    assert item is not None and item["status"]["S"] == "FAILED"


def test_an_abort_while_the_target_is_gone_brings_it_back(shop: Shop) -> None:
    rows, clusters, instances = shop.rows(TARGET), shop.clusters(), shop.instances()
    started = replace(shop, "replace-abort", source_snapshot=NIGHTLY, follow=False)
    assert started.code == 0, started.output
    wait_until(lambda: TARGET not in shop.clusters(), "the removal of the target", 60)
    arn = shop.execution("replace-abort")["executionArn"]
    with lasting_waits(shop) as wait_for:
        wait_for(arn)
        shop.aws.client("stepfunctions").stop_execution(executionArn=arn, error="Somebody", cause="in the console")
    aborted = shop.aws.play("playbooks/abort.yml", operation="replace-abort", cause="changed our minds")
    assert aborted.code == 0, aborted.output
    assert "was brought back from its final snapshot" in aborted.output
    assert (shop.rows(TARGET), shop.clusters(), shop.instances()) == (rows, clusters, instances)
    assert shop.lock_owner(TARGET) == ""


def test_the_target_holds_the_sources_rows_and_its_own_are_in_the_final_snapshot(shop: Shop) -> None:
    with shop.databases.connect(TARGET, shop.login(TARGET), "shop") as connection:  # so that no two have the same rows
        connection.cursor().execute("DELETE FROM shop.order_lines WHERE order_id = 1")
        connection.commit()
    rows, clusters, instances = shop.rows(TARGET), shop.clusters(), shop.instances()
    original = described(shop)["DbClusterResourceId"]
    played = replace(shop, "replace-one", source_snapshot=NIGHTLY)
    assert played.code == 0, played.output
    assert f"REMOVES {TARGET} first, after snapshot {final('replace-one')}" in played.output
    assert f"snapshot {final('replace-one')} holds what it had" in played.output
    assert shop.rows(TARGET) == shop.rows("orders-prod") != rows
    assert (shop.clusters(), shop.instances()) == (clusters, instances)
    assert described(shop)["DbClusterResourceId"] != original
    with shop.databases.connect(TARGET, shop.aws.secret("app-credentials"), "shop") as connection:
        cursor = connection.cursor()
        cursor.execute("UPDATE shop.orders SET status = 'paid' WHERE id = 1")
        with pytest.raises(DatabaseError, match="42501"):
            cursor.execute("DROP TABLE shop.orders")

    refused = shop.aws.play("playbooks/rollback.yml", operation="replace-one")
    assert refused.code != 0
    assert "RollbackImpossible (AR504)" in refused.output
    assert f"source_snapshot={final('replace-one')}" in " ".join(refused.output.split())

    again = replace(shop, "replace-two", source_snapshot=final("replace-one"))
    assert again.code == 0, again.output
    assert shop.rows(TARGET) == rows
    assert {final("replace-one"), final("replace-two")} <= snapshots(shop)

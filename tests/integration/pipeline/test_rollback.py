"""A restore rolled back by the runbook: the rows before it are back, those it brought stand beside."""

from __future__ import annotations

from tests.integration.pipeline.conftest import PREFIX, Shop

RESTORE, ROLLBACK = "playbooks/restore.yml", "playbooks/rollback.yml"


def test_a_rollback_gives_the_target_its_rows_back_and_only_once(shop: Shop) -> None:
    with shop.databases.connect("orders-staging", shop.login("orders-staging"), "shop") as connection:
        connection.cursor().execute("UPDATE shop.customers SET name = 'Ada Before' WHERE id = 1")
        connection.commit()
    before, clusters = shop.rows("orders-staging"), shop.clusters()
    restored = shop.aws.play(RESTORE, target="orders-staging", operation="to-roll-back")
    assert restored.code == 0, restored.output
    brought = shop.rows("orders-staging")
    assert brought == shop.rows("orders-prod") != before

    checked = shop.aws.play(ROLLBACK, "--check", operation="to-roll-back")
    assert (checked.code, checked.changed) == (0, 1), checked.output
    assert shop.rows("orders-staging") == brought

    rolled_back = shop.aws.play(ROLLBACK, operation="to-roll-back")
    assert rolled_back.code == 0, rolled_back.output
    assert "The restored cluster stands as orders-staging-to-roll-back until" in rolled_back.output
    assert shop.rows("orders-staging") == before
    assert shop.rows("orders-staging-to-roll-back") == brought
    assert set(shop.clusters()) == set(clusters) | {"orders-staging-to-roll-back"}
    item = shop.item("to-roll-back")
    assert item is not None and item["status"]["S"] == "ROLLED_BACK"
    tags = shop.aws.client("rds").describe_db_clusters(DBClusterIdentifier="orders-staging")["DBClusters"][0]["TagList"]
    assert not [tag for tag in tags if tag["Key"] in (f"{PREFIX}:expires-at", f"{PREFIX}:replaced-by")]

    again = shop.aws.play(ROLLBACK, operation="to-roll-back")
    assert again.code != 0
    assert "RollbackImpossible (AR504)" in again.output
    unknown = shop.aws.play(ROLLBACK, operation="never-was")
    assert unknown.code != 0
    assert "there is no operation never-was" in unknown.output

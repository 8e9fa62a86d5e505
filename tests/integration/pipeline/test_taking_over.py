"""Executions that AWS ends: cleaned up by the event, resumed with nothing done twice, and what expires is removed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.integration.pipeline.conftest import PREFIX, Shop, lasting_waits, wait_until

RESTORE, ABORT, RESUME = "playbooks/restore.yml", "playbooks/abort.yml", "playbooks/resume.yml"
# The rows of the source as the shop was seeded; other tests have left newer snapshots of it.
NIGHTLY = "orders-prod-nightly"
CHANGING = ("Restore", "Create", "Modify", "Delete", "Copy", "AddTags", "RemoveTags")


@contextmanager
def waiting(shop: Shop, operation: str) -> Iterator[str]:
    """A restore that was started and waits for its snapshot copy. Gives the execution's ARN."""
    with lasting_waits(shop) as wait_for:
        started = shop.aws.play(
            RESTORE, target="orders-staging", operation=operation, source_snapshot=NIGHTLY, follow=False
        )
        assert started.code == 0, started.output
        arn = shop.execution(operation)["executionArn"]
        wait_for(arn)
        yield arn


def snapshots(shop: Shop) -> list[str]:
    found = shop.aws.client("rds").describe_db_cluster_snapshots()["DBClusterSnapshots"]
    return [item["DBClusterSnapshotIdentifier"] for item in found]


def status(shop: Shop, operation: str) -> str:
    item = shop.item(operation)
    return str(item["status"]["S"]) if item else ""


def test_an_execution_stopped_in_the_console_is_cleaned_up_by_the_event(shop: Shop) -> None:
    rows, clusters, instances = shop.rows("orders-staging"), shop.clusters(), shop.instances()
    with waiting(shop, "stopped-outside") as arn:
        shop.aws.client("stepfunctions").stop_execution(executionArn=arn, error="Somebody", cause="in the console")
    wait_until(lambda: status(shop, "stopped-outside") == "FAILED", "the end of the clean-up", 120)
    cleaned = shop.execution("stopped-outside-cleanup-1")
    wait_until(lambda: shop.execution("stopped-outside-cleanup-1")["status"] == "SUCCEEDED", "CleanedUp", 30)
    assert json.loads(cleaned["input"]) == {"action": "clean_up", "operation_id": "stopped-outside"}
    assert (shop.rows("orders-staging"), shop.clusters(), shop.instances()) == (rows, clusters, instances)
    again = shop.aws.play(ABORT, operation="stopped-outside")
    assert again.code == 0, again.output
    assert "snapshot copy orders-staging-copy-stopped-outside was removed" in again.output


def changing_calls(shop: Shop) -> Counter[str]:
    calls = shop.aws.emulator.request("GET", "/_emulator/calls")
    return Counter({name: calls[name] for name in calls if name.startswith(tuple(f"rds.{verb}" for verb in CHANGING))})


def test_a_paused_restore_is_resumed_and_nothing_is_done_twice(shop: Shop) -> None:
    before = changing_calls(shop)
    undisturbed = shop.aws.play(RESTORE, target="orders-staging", operation="undisturbed", source_snapshot=NIGHTLY)
    assert undisturbed.code == 0, undisturbed.output
    needed = changing_calls(shop) - before

    before = changing_calls(shop)
    with waiting(shop, "paused-one"):
        paused = shop.aws.play(ABORT, operation="paused-one", pause=True, cause="a fix is coming")
        assert paused.code == 0, paused.output
    assert status(shop, "paused-one") == "RUNNING"
    assert "orders-staging-copy-paused-one" in snapshots(shop)
    resumed = shop.aws.play(RESUME, operation="paused-one")
    assert resumed.code == 0, resumed.output
    assert changing_calls(shop) - before == needed
    assert status(shop, "paused-one") == "SUCCEEDED"
    assert shop.rows("orders-staging") == shop.rows("orders-prod")
    assert shop.aws.play(RESUME, operation="paused-one").code != 0


def test_a_drill_stands_side_by_side_and_goes_when_its_time_is_over(shop: Shop) -> None:
    rows, clusters = shop.rows("orders-staging"), shop.clusters()
    request: dict[str, Any] = {"strategy": "side_by_side", "retention": {"keep_old_hours": 0, "final_snapshot": True}}
    played = shop.aws.play(
        RESTORE, target="orders-staging", operation="drill-one", source_snapshot=NIGHTLY, request=request
    )
    assert played.code == 0, played.output
    beside = "orders-staging-drill-one"
    assert set(shop.clusters()) == {*clusters, beside}
    assert shop.rows(beside) == shop.rows("orders-prod")
    assert shop.rows("orders-staging") == rows

    def swept() -> bool:
        answer = shop.aws.client("lambda").invoke(FunctionName=f"{PREFIX}-sweep", Qualifier="live", Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()
        return beside not in shop.clusters()

    wait_until(swept, "the removal", 60)
    assert shop.clusters() == clusters
    assert f"{beside}-final" in snapshots(shop)
    shop.aws.client("rds").delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=f"{beside}-final")

"""Restores that wait for somebody: approved, rejected, expired, and refused to their own requester."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.pipeline.conftest import Played, Shop, wait_until

APPROVE = "playbooks/approve.yml"


def protected(**approval: Any) -> dict[str, Any]:
    return {"approval": {"required": True, "expires_hours": 1, "forbid_self": False, **approval}}


def start(shop: Shop, operation: str, **approval: Any) -> Played:
    played = shop.aws.play(
        "playbooks/restore.yml",
        target="orders-staging",
        operation=operation,
        follow=False,
        request=protected(**approval),
    )
    assert played.code == 0, played.output
    wait_until(lambda: ("RequestApproval", "SUCCEEDED") in shop.audit(operation), "the request for an approval")
    return played


def decide(shop: Shop, operation: str, decision: str, *arguments: str, reason: str = "seen") -> Played:
    return shop.aws.play(APPROVE, *arguments, operation=operation, decision=decision, reason=reason)


def remove(shop: Shop, cluster: str) -> None:
    """Remove a kept cluster, so that the tests to come find the clusters they know."""
    rds = shop.aws.client("rds")
    rds.delete_db_instance(DBInstanceIdentifier=f"{cluster}-1")
    wait_until(lambda: f"{cluster}-1" not in shop.instances(), "the instance to go")
    rds.delete_db_cluster(DBClusterIdentifier=cluster, SkipFinalSnapshot=True)
    wait_until(lambda: cluster not in shop.clusters(), "the cluster to go")


def ended(shop: Shop, operation: str) -> dict[str, Any]:
    found: dict[str, Any] = wait_until(
        lambda: (execution := shop.execution(operation))["status"] != "RUNNING" and execution,
        f"the end of {operation}",
        90,
    )
    return found


def test_nothing_changes_before_somebody_approves(shop: Shop) -> None:
    operation, clusters = "approved-1", shop.clusters()
    start(shop, operation)
    assert shop.clusters() == clusters
    checked = decide(shop, operation, "approve", "--check")
    assert checked.code == 0, checked.output
    assert shop.execution(operation)["status"] == "RUNNING"
    played = decide(shop, operation, "approve", reason="release 7")
    assert played.code == 0, played.output
    execution = ended(shop, operation)
    assert execution["status"] == "SUCCEEDED", execution
    approval = json.loads(execution["output"])["approval"]
    assert (approval["decision"], approval["reason"]) == ("approve", "release 7")
    assert ("Approve", "SUCCEEDED") in shop.audit(operation)
    assert "task_token" not in str(shop.item(operation))
    assert shop.rows("orders-staging") == shop.rows("orders-prod")
    again = decide(shop, operation, "reject")
    assert again.code != 0
    assert "was approved by" in again.output
    remove(shop, f"orders-staging-old-{operation}")


def test_a_rejection_ends_the_restore_with_its_reason(shop: Shop) -> None:
    rows, clusters = shop.rows("orders-staging"), shop.clusters()
    start(shop, "rejected-1")
    assert decide(shop, "rejected-1", "reject", reason="freeze until Monday").code == 0
    execution = ended(shop, "rejected-1")
    assert (execution["status"], execution["error"]) == ("FAILED", "ApprovalRejected")
    assert "freeze until Monday" in execution["cause"]
    assert (shop.rows("orders-staging"), shop.clusters()) == (rows, clusters)
    lock = shop.item("lock#us-east-1#orders-staging")
    assert lock is not None
    assert lock["state"]["M"]["owner"] == {"S": ""}


def test_silence_ends_the_restore_as_expired(shop: Shop) -> None:
    clusters = shop.clusters()
    played = shop.aws.play(
        "playbooks/restore.yml",
        target="orders-staging",
        operation="expired-1",
        request=protected(expires_hours=0.001),
    )
    assert played.code != 0
    for told in ("waits until", "playbooks/approve.yml -e operation=expired-1", "ApprovalExpired (AR205)"):
        assert told in played.output
    assert shop.clusters() == clusters
    late = decide(shop, "expired-1", "approve")
    assert late.code != 0
    assert "has ended FAILED" in late.output


def test_the_requester_may_not_approve(shop: Shop) -> None:
    start(shop, "requester-1", forbid_self=True)
    refused = decide(shop, "requester-1", "approve")
    assert refused.code != 0
    assert "may not approve" in refused.output
    assert decide(shop, "requester-1", "reject").code == 0
    assert ended(shop, "requester-1")["error"] == "ApprovalRejected"

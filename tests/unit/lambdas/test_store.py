"""One contract for both stores: DynamoDB (moto) and the in-memory twin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from aurora_restore.errors import LockHeld, OperationExists
from aurora_restore.store import AuditStatus, Status, Store
from aurora_restore.store_dynamodb import DynamoStore
from tests.unit.lambdas.fake_clock import FakeClock
from tests.unit.lambdas.memory_store import MemoryStore

TARGET = "us-east-1#orders-staging"
FACTS = {"execution_id": "arn:execution:1", "target": "orders-staging"}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        for table, sort in (("state", []), ("audit", ["timestamp"])):
            keys = [("operation_id", "HASH"), *((name, "RANGE") for name in sort)]
            dynamodb.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            )
        yield dynamodb


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest, client: Any) -> Store:
    clock = FakeClock()
    return MemoryStore(clock) if request.param == "memory" else DynamoStore(client, "state", "audit", 30, clock)


def test_an_operation_begins_once_and_belongs_to_its_execution(store: Store) -> None:
    store.begin("op-one", FACTS)
    store.journal("op-one", "RestoreSnapshot", {"cluster_id": "c", "share": 0.5})
    store.begin("op-one", FACTS)
    found = store.read("op-one")
    assert found is not None
    assert found.status is Status.RUNNING
    assert found.execution_id == "arn:execution:1"
    assert found.entry("RestoreSnapshot") == {"cluster_id": "c", "share": 0.5}
    with pytest.raises(OperationExists):
        store.begin("op-one", {**FACTS, "execution_id": "arn:execution:2"})


def test_what_was_never_begun_is_neither_journalled_nor_finished(store: Store) -> None:
    store.journal("nobody", "CopySnapshot", {"x": 1})
    store.set_status("nobody", Status.FAILED)
    assert store.read("nobody") is None


def test_a_journal_entry_is_replaced_as_a_whole(store: Store) -> None:
    store.begin("op-one", FACTS)
    store.journal("op-one", "SwapClusters", {"phase": "intended", "moves": [{"old": "a"}]})
    store.journal("op-one", "SwapClusters", {"phase": "made"})
    store.set_status("op-one", Status.SUCCEEDED)
    found = store.read("op-one")
    assert found is not None
    assert found.entry("SwapClusters") == {"phase": "made"}
    assert found.status is Status.SUCCEEDED


def test_a_lock_admits_one_owner_and_knows_him_again(store: Store) -> None:
    first = store.acquire(TARGET, "op-one", lease_until=200, now=100)
    assert store.acquire(TARGET, "op-one", lease_until=200, now=110) == first
    with pytest.raises(LockHeld, match="op-one until 1970-01-01 00:03:20 UTC"):
        store.acquire(TARGET, "op-two", lease_until=300, now=150)
    assert store.holder(TARGET) == first


def test_an_expired_lock_changes_hands_with_a_higher_token(store: Store) -> None:
    first = store.acquire(TARGET, "op-one", lease_until=200, now=100)
    second = store.acquire(TARGET, "op-two", lease_until=400, now=200)
    assert second.token > first.token
    with pytest.raises(LockHeld):
        store.acquire(TARGET, "op-one", lease_until=500, now=300)


def test_only_the_owner_releases_and_the_token_survives(store: Store) -> None:
    first = store.acquire(TARGET, "op-one", lease_until=200, now=100)
    assert store.release(TARGET, "op-two") is False
    assert store.holder(TARGET) == first
    assert store.release(TARGET, "op-one") is True
    assert store.holder(TARGET) is None
    assert store.release(TARGET, "op-one") is False
    assert store.acquire(TARGET, "op-two", lease_until=300, now=150).token == first.token + 1


def test_releasing_what_was_never_locked_is_no_error(store: Store) -> None:
    assert store.release(TARGET, "op-one") is False


def test_history_keeps_the_ten_newest_once_per_operation(store: Store) -> None:
    for number in range(12):
        store.remember(TARGET, f"op-{number}", {"total": number})
    store.remember(TARGET, "op-11", {"total": 99})
    assert [entry["total"] for entry in store.history(TARGET)] == [*range(2, 11), 99]
    assert store.history("us-east-1#other") == []


def test_audit_timestamps_are_unique_and_grow(store: Store) -> None:
    stamps = [store.audit("op-one", "SnapshotCheck", AuditStatus.STARTED, {"n": number}) for number in range(3)]
    assert stamps == sorted(set(stamps))
    assert len(stamps[0]) == len("2026-11-23T07:00:00.000000Z")


def test_audit_items_expire_and_state_items_do_not(client: Any) -> None:
    clock = FakeClock()
    store = DynamoStore(client, "state", "audit", 30, clock)
    store.begin("op-one", FACTS)
    store.audit("op-one", "SnapshotCheck", AuditStatus.STARTED)
    event = client.scan(TableName="audit")["Items"][0]
    assert int(event["expires_at"]["N"]) == int(clock.now().timestamp()) + 30 * 86400
    assert "expires_at" not in client.scan(TableName="state")["Items"][0]


class LostAnswers:
    """A client whose writes succeed twice, as botocore's retry does when the first answer is lost."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        def twice(**arguments: Any) -> Any:
            method = getattr(self._client, name)
            if name == "put_item":
                method(**arguments)
            return method(**arguments)

        return twice


def test_a_write_whose_answer_was_lost_does_not_lose_to_itself(client: Any) -> None:
    store = DynamoStore(LostAnswers(client), "state", "audit", 30, FakeClock())
    store.begin("op-one", FACTS)
    assert store.acquire(TARGET, "op-one", lease_until=200, now=100).token == 1
    store.audit("op-one", "SnapshotCheck", AuditStatus.STARTED)
    assert len(client.scan(TableName="audit")["Items"]) == 1


def test_an_operation_changes_hands_once_and_keeps_its_journal_or_not(store: Store) -> None:
    store.begin("op-one", FACTS)
    store.journal("op-one", "RestoreSnapshot", {"cluster_id": "c"})
    store.journal("op-one", "Undo", {"phase": "begun"})
    store.set_status("op-one", Status.FAILED)
    first = store.read("op-one")
    assert first is not None
    second = {**FACTS, "execution_id": "arn:execution:2", "attempt": 2}
    assert store.take_over(first, second, keep=True)
    assert store.take_over(first, second, keep=True)  # a retry after a lost answer
    assert not store.take_over(first, {**FACTS, "execution_id": "arn:execution:3"}, keep=True)
    found = store.read("op-one")
    assert found is not None
    assert (found.status, found.execution_id, found.attempt) == (Status.RUNNING, "arn:execution:2", 2)
    assert set(found.state) == {"operation", "RestoreSnapshot"}
    assert store.take_over(found, {**FACTS, "execution_id": "arn:execution:3"}, keep=False)
    again = store.read("op-one")
    assert again is not None
    assert set(again.state) == {"operation"}


def test_only_operations_that_run_are_running(store: Store) -> None:
    store.acquire(TARGET, "op-one", 100, 0)
    store.begin("op-one", FACTS)
    store.begin("op-two", FACTS)
    store.set_status("op-two", Status.SUCCEEDED)
    assert [operation.operation_id for operation in store.running()] == ["op-one"]


def test_the_end_of_a_call_is_found_from_a_moment_on(store: Store) -> None:
    store.audit("op-one", "CopySnapshot", AuditStatus.SUCCEEDED)
    store.audit("op-one", "RestoreSnapshot", AuditStatus.STARTED)
    now = FakeClock().now()
    assert store.has_ended("op-one", "CopySnapshot", now)
    assert not store.has_ended("op-one", "RestoreSnapshot", now)
    assert not store.has_ended("op-one", "CopySnapshot", now + timedelta(seconds=1))
    assert not store.has_ended("op-two", "CopySnapshot", now)

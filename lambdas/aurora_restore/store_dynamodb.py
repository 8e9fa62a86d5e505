"""The store in Amazon DynamoDB: operations, locks and history in the state table, the trail in the audit table."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aurora_restore.aws.dynamodb import Table
from aurora_restore.clock import Clock, iso
from aurora_restore.errors import LockHeld, OperationExists
from aurora_restore.store import AuditStatus, Lock, Operation, Status, carried_over, ends_call

HISTORY_LENGTH = 10
STAMP = {"#status": "status", "#timestamp": "timestamp"}


class DynamoStore:
    """`store.Store` over the two tables of a deployment."""

    def __init__(self, client: Any, state_table: str, audit_table: str, audit_ttl_days: int, clock: Clock) -> None:
        self._state = Table(client, state_table)
        self._audit = Table(client, audit_table)
        self._audit_ttl = timedelta(days=audit_ttl_days)
        self._clock = clock

    def begin(self, operation_id: str, facts: Mapping[str, Any]) -> None:
        item = {**self._stamp(operation_id, Status.RUNNING), "state": {"operation": dict(facts)}}
        if self._state.put(item, "attribute_not_exists(operation_id)"):
            return
        existing = self.read(operation_id)
        if existing is None or existing.execution_id != facts["execution_id"]:
            raise OperationExists(
                f"Operation {operation_id} belongs to execution {existing and existing.execution_id}."
            )

    def take_over(self, operation: Operation, facts: Mapping[str, Any], *, keep: bool) -> bool:
        return self._update(
            operation.operation_id,
            "SET #state = :state, #status = :running, #timestamp = :now",
            {**STAMP, "#state": "state", "#operation": "operation", "#execution": "execution_id"},
            {
                ":state": carried_over(operation, facts, keep=keep),
                ":running": Status.RUNNING.value,
                ":now": self._now(),
                ":earlier": operation.execution_id,
                ":me": facts["execution_id"],
            },
            "#state.#operation.#execution IN (:earlier, :me)",
        )

    def running(self) -> list[Operation]:
        items = self._state.scan(
            "#status = :running AND attribute_exists(#state.#operation)",
            {"#status": "status", "#state": "state", "#operation": "operation"},
            {":running": Status.RUNNING.value},
        )
        return [_operation(item) for item in items]

    def has_ended(self, operation_id: str, step: str, since: datetime) -> bool:
        events = self._audit.query(
            "operation_id = :operation AND #timestamp >= :since",
            {"#timestamp": "timestamp"},
            {":operation": operation_id, ":since": iso(since)},
        )
        return any(ends_call(event, step) for event in events)

    def read(self, operation_id: str) -> Operation | None:
        item = self._get(operation_id)
        return _operation(item) if item else None

    def journal(self, operation_id: str, step: str, entry: Mapping[str, Any]) -> None:
        self._update(
            operation_id,
            "SET #state.#step = :entry, #timestamp = :now",
            {"#state": "state", "#step": step, "#timestamp": "timestamp"},
            {":entry": dict(entry), ":now": self._now()},
        )

    def set_status(self, operation_id: str, status: Status) -> None:
        self._update(
            operation_id,
            "SET #status = :status, #timestamp = :now",
            STAMP,
            {":status": status.value, ":now": self._now()},
        )

    def acquire(self, resource: str, owner: str, lease_until: int, now: int) -> Lock:
        key = _lock_key(resource)
        current = (self._get(key) or {}).get("state", {})
        # A lock taken again by its owner keeps its token: to the outside it never changed hands.
        last = int(current.get("token", 0))
        lock = Lock(owner, last if current.get("owner") == owner else last + 1, lease_until)
        item = {
            **self._stamp(key, Status.RUNNING),
            "state": {"owner": owner, "token": lock.token, "lease_until": lease_until},
        }
        # `owner = :me`: botocore retries a write whose answer was lost, and must then not lose to itself. The token
        # ties a takeover to what was read, so that of two operations that see the same expired lease only one wins.
        free = "#state.#lease <= :now AND #state.#token = :last"
        condition = f"attribute_not_exists(operation_id) OR #state.#owner = :me OR ({free})"
        names = {"#state": "state", "#owner": "owner", "#lease": "lease_until", "#token": "token"}
        if self._state.put(item, condition, names, {":me": owner, ":now": now, ":last": last}):
            return lock
        holder = self.holder(resource)
        if holder:
            raise holder.refusal(resource)
        raise LockHeld(f"{resource} was locked by another operation at the same moment.")

    def holder(self, resource: str) -> Lock | None:
        state = (self._get(_lock_key(resource)) or {}).get("state", {})
        return Lock(state["owner"], state["token"], state["lease_until"]) if state.get("owner") else None

    def release(self, resource: str, owner: str) -> bool:
        return self._update(
            _lock_key(resource),
            "SET #state.#owner = :free, #state.#lease = :zero, #status = :done, #timestamp = :now",
            {**STAMP, "#state": "state", "#owner": "owner", "#lease": "lease_until"},
            {":me": owner, ":free": "", ":zero": 0, ":done": Status.SUCCEEDED.value, ":now": self._now()},
            "#state.#owner = :me",
        )

    def remember(self, resource: str, operation_id: str, durations: Mapping[str, int]) -> None:
        # Not atomic, and need not be: the target's lock admits one operation at a time.
        others = [entry for entry in self._successes(resource) if entry["operation_id"] != operation_id]
        kept = [*others, {"operation_id": operation_id, "seconds": dict(durations)}][-HISTORY_LENGTH:]
        self._state.put({**self._stamp(_history_key(resource), Status.SUCCEEDED), "state": {"successes": kept}})

    def history(self, resource: str) -> list[Mapping[str, int]]:
        return [entry["seconds"] for entry in self._successes(resource)]

    def audit(self, operation_id: str, step: str, status: AuditStatus, details: Mapping[str, Any] | None = None) -> str:
        moment = self._clock.now()
        event = uuid.uuid4().hex
        while True:
            item = {
                "operation_id": operation_id,
                "timestamp": iso(moment),
                "step": step,
                "status": status.value,
                "details": dict(details or {}),
                "expires_at": int((moment + self._audit_ttl).timestamp()),
                "event_id": event,
            }
            # `event_id = :event`: a write that succeeded but lost its answer must not be appended a second time.
            condition = "attribute_not_exists(operation_id) OR event_id = :event"
            if self._audit.put(item, condition, values={":event": event}):
                return str(item["timestamp"])
            moment += timedelta(microseconds=1)

    def _successes(self, resource: str) -> list[dict[str, Any]]:
        return list((self._get(_history_key(resource)) or {}).get("state", {}).get("successes", []))

    def _get(self, key: str) -> dict[str, Any] | None:
        return self._state.get({"operation_id": key})

    def _update(
        self, key: str, update: str, names: Mapping[str, str], values: Mapping[str, Any], condition: str | None = None
    ) -> bool:
        """Change an item that exists; whether it does and the condition held."""
        return self._state.update(
            {"operation_id": key}, update, condition or "attribute_exists(operation_id)", names, values
        )

    def _now(self) -> str:
        return iso(self._clock.now())

    def _stamp(self, key: str, status: Status) -> dict[str, Any]:
        return {"operation_id": key, "status": status.value, "timestamp": self._now()}


def _operation(item: Mapping[str, Any]) -> Operation:
    return Operation(item["operation_id"], Status(item["status"]), item["timestamp"], item.get("state", {}))


def _lock_key(resource: str) -> str:
    return f"lock#{resource}"


def _history_key(resource: str) -> str:
    return f"history#{resource}"

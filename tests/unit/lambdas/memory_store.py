"""The store's in-memory twin: the same contract, held to it by test_store.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aurora_restore.clock import Clock, iso
from aurora_restore.errors import OperationExists
from aurora_restore.store import AuditStatus, Lock, Operation, Status, carried_over, ends_call


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


class MemoryStore:
    """A `store.Store` in two dictionaries."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._locks: dict[str, Lock] = {}
        self._tokens: dict[str, int] = {}
        self._histories: dict[str, dict[str, dict[str, int]]] = {}
        self.operations: dict[str, Operation] = {}
        self.events: list[dict[str, Any]] = []

    def begin(self, operation_id: str, facts: Mapping[str, Any]) -> None:
        existing = self.operations.get(operation_id)
        if existing is None:
            state = {"operation": _copy(facts)}
            self.operations[operation_id] = Operation(operation_id, Status.RUNNING, iso(self._clock.now()), state)
        elif existing.execution_id != facts["execution_id"]:
            raise OperationExists(f"Operation {operation_id} belongs to execution {existing.execution_id}.")

    def take_over(self, operation: Operation, facts: Mapping[str, Any], *, keep: bool) -> bool:
        found = self.operations[operation.operation_id]
        if found.execution_id not in (operation.execution_id, facts["execution_id"]):
            return False
        self._replace(found, Status.RUNNING, _copy(carried_over(operation, facts, keep=keep)))
        return True

    def running(self) -> list[Operation]:
        return [operation for operation in self.operations.values() if operation.status is Status.RUNNING]

    def has_ended(self, operation_id: str, step: str, since: datetime) -> bool:
        return any(
            event["operation_id"] == operation_id and event["timestamp"] >= iso(since) and ends_call(event, step)
            for event in self.events
        )

    def read(self, operation_id: str) -> Operation | None:
        return self.operations.get(operation_id)

    def journal(self, operation_id: str, step: str, entry: Mapping[str, Any]) -> None:
        found = self.operations.get(operation_id)
        if found:
            self._replace(found, found.status, {**found.state, step: _copy(entry)})

    def set_status(self, operation_id: str, status: Status) -> None:
        found = self.operations.get(operation_id)
        if found:
            self._replace(found, status, found.state)

    def acquire(self, resource: str, owner: str, lease_until: int, now: int) -> Lock:
        held = self._locks.get(resource)
        if held and held.owner != owner and held.lease_until > now:
            raise held.refusal(resource)
        if not (held and held.owner == owner):
            self._tokens[resource] = self._tokens.get(resource, 0) + 1
        self._locks[resource] = Lock(owner, self._tokens[resource], lease_until)
        return self._locks[resource]

    def holder(self, resource: str) -> Lock | None:
        return self._locks.get(resource)

    def release(self, resource: str, owner: str) -> bool:
        held = self._locks.get(resource)
        if held and held.owner == owner:
            del self._locks[resource]
            return True
        return False

    def remember(self, resource: str, operation_id: str, durations: Mapping[str, int]) -> None:
        known = self._histories.setdefault(resource, {})
        known.pop(operation_id, None)
        known[operation_id] = dict(durations)
        for oldest in list(known)[:-10]:
            del known[oldest]

    def history(self, resource: str) -> list[Mapping[str, int]]:
        return list(self._histories.get(resource, {}).values())

    def audit(self, operation_id: str, step: str, status: AuditStatus, details: Mapping[str, Any] | None = None) -> str:
        moment = self._clock.now()
        taken = {event["timestamp"] for event in self.events if event["operation_id"] == operation_id}
        while iso(moment) in taken:
            moment += timedelta(microseconds=1)
        event = {"operation_id": operation_id, "timestamp": iso(moment), "step": step, "status": status.value}
        self.events.append({**event, "details": _copy(details or {})})
        return iso(moment)

    def _replace(self, found: Operation, status: Status, state: Mapping[str, Any]) -> None:
        self.operations[found.operation_id] = Operation(found.operation_id, status, iso(self._clock.now()), state)

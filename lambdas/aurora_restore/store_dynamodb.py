"""The store in Amazon DynamoDB."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from aurora_restore.aws.calls import call
from aurora_restore.clock import Clock, iso
from aurora_restore.errors import AwsCallFailed, LockHeld, OperationExists
from aurora_restore.store import AuditStatus, Lock, Operation, Status, carried_over, ends_call

HISTORY_LENGTH = 10
CONDITION_FAILED = "ConditionalCheckFailedException"


class DynamoStore:
    """`store.Store` over the low-level client, which, unlike the resource, can be shared between threads."""

    def __init__(self, client: Any, state_table: str, audit_table: str, audit_ttl_days: int, clock: Clock) -> None:
        self._client = client
        self._state_table = state_table
        self._audit_table = audit_table
        self._audit_ttl = timedelta(days=audit_ttl_days)
        self._clock = clock

    def begin(self, operation_id: str, facts: Mapping[str, Any]) -> None:
        item = {**self._stamp(operation_id, Status.RUNNING), "state": {"operation": dict(facts)}}
        created = self._put(self._state_table, item, "attribute_not_exists(operation_id)")
        if created:
            return
        existing = self.read(operation_id)
        if existing is None or existing.execution_id != facts["execution_id"]:
            raise OperationExists(
                f"Operation {operation_id} belongs to execution {existing and existing.execution_id}."
            )

    def take_over(self, operation: Operation, facts: Mapping[str, Any], *, keep: bool) -> bool:
        state = carried_over(operation, facts, keep=keep)
        return self._update(
            operation.operation_id,
            "SET #state = :state, #status = :running, #timestamp = :now",
            {
                "#state": "state",
                "#status": "status",
                "#timestamp": "timestamp",
                "#operation": "operation",
                "#execution": "execution_id",
            },
            {
                ":state": state,
                ":running": Status.RUNNING.value,
                ":now": self._now(),
                ":earlier": operation.execution_id,
                ":me": facts["execution_id"],
            },
            "#state.#operation.#execution IN (:earlier, :me)",
        )

    def running(self) -> list[Operation]:
        arguments = {
            "TableName": self._state_table,
            "FilterExpression": "#status = :running AND attribute_exists(#state.#operation)",
            "ExpressionAttributeNames": {"#status": "status", "#state": "state", "#operation": "operation"},
            "ExpressionAttributeValues": _serialize({":running": Status.RUNNING.value}),
            "ConsistentRead": True,
        }
        items = [_deserialize(item) for item in self._pages(self._client.scan, arguments)]
        return [
            Operation(item["operation_id"], Status(item["status"]), item["timestamp"], item["state"]) for item in items
        ]

    def has_ended(self, operation_id: str, step: str, since: datetime) -> bool:
        arguments = {
            "TableName": self._audit_table,
            "KeyConditionExpression": "operation_id = :operation AND #timestamp >= :since",
            "ExpressionAttributeNames": {"#timestamp": "timestamp"},
            "ExpressionAttributeValues": _serialize({":operation": operation_id, ":since": iso(since)}),
            "ConsistentRead": True,
        }
        items = [_deserialize(item) for item in self._pages(self._client.query, arguments)]
        return any(ends_call(item, step) for item in items)

    def read(self, operation_id: str) -> Operation | None:
        item = self._get(operation_id)
        if item is None:
            return None
        return Operation(operation_id, Status(item["status"]), item["timestamp"], item.get("state", {}))

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
            {"#status": "status", "#timestamp": "timestamp"},
            {":status": status.value, ":now": self._now()},
        )

    def acquire(self, resource: str, owner: str, lease_until: int, now: int) -> Lock:
        key = _lock_key(resource)
        current = self.holder(resource)
        # A lock taken again by its owner keeps its token: to the outside it never changed hands.
        same = current is not None and current.owner == owner
        last = self._last_token(key)
        lock = Lock(owner, last if same else last + 1, lease_until)
        item = {
            **self._stamp(key, Status.RUNNING),
            "state": {"owner": owner, "token": lock.token, "lease_until": lease_until},
        }
        # `owner = :me`: botocore retries a write whose answer was lost, and must then not lose to itself. The token
        # ties a takeover to what was read, so that of two operations that see the same expired lease only one wins.
        free = "#state.#lease <= :now AND #state.#token = :last"
        condition = f"attribute_not_exists(operation_id) OR #state.#owner = :me OR ({free})"
        names = {"#state": "state", "#owner": "owner", "#lease": "lease_until", "#token": "token"}
        if self._put(self._state_table, item, condition, names, {":me": owner, ":now": now, ":last": last}):
            return lock
        holder = self.holder(resource)
        if holder:
            raise holder.refusal(resource)
        raise LockHeld(f"{resource} was locked by another operation at the same moment.")

    def holder(self, resource: str) -> Lock | None:
        item = self._get(_lock_key(resource))
        state = (item or {}).get("state", {})
        return Lock(state["owner"], state["token"], state["lease_until"]) if state.get("owner") else None

    def release(self, resource: str, owner: str) -> bool:
        names = {
            "#state": "state",
            "#owner": "owner",
            "#lease": "lease_until",
            "#status": "status",
            "#timestamp": "timestamp",
        }
        values = {":me": owner, ":free": "", ":zero": 0, ":done": Status.SUCCEEDED.value, ":now": self._now()}
        update = "SET #state.#owner = :free, #state.#lease = :zero, #status = :done, #timestamp = :now"
        return self._update(_lock_key(resource), update, names, values, "#state.#owner = :me")

    def remember(self, resource: str, operation_id: str, durations: Mapping[str, int]) -> None:
        # Not atomic, and need not be: the target's lock admits one operation at a time.
        others = [entry for entry in self._successes(resource) if entry["operation_id"] != operation_id]
        kept = [*others, {"operation_id": operation_id, "seconds": dict(durations)}][-HISTORY_LENGTH:]
        item = {**self._stamp(_history_key(resource), Status.SUCCEEDED), "state": {"successes": kept}}
        self._put(self._state_table, item)

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
            if self._put(self._audit_table, item, condition, values={":event": event}):
                return str(item["timestamp"])
            moment += timedelta(microseconds=1)

    def _successes(self, resource: str) -> list[dict[str, Any]]:
        return list((self._get(_history_key(resource)) or {}).get("state", {}).get("successes", []))

    def _last_token(self, key: str) -> int:
        return int((self._get(key) or {}).get("state", {}).get("token", 0))

    def _now(self) -> str:
        return iso(self._clock.now())

    def _stamp(self, key: str, status: Status) -> dict[str, Any]:
        return {"operation_id": key, "status": status.value, "timestamp": self._now()}

    def _get(self, key: str) -> dict[str, Any] | None:
        answer = call(
            self._client.get_item,
            TableName=self._state_table,
            Key=_serialize({"operation_id": key}),
            ConsistentRead=True,
        )
        return _deserialize(answer["Item"]) if "Item" in answer else None

    @staticmethod
    def _pages(method: Any, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        """All items of a Scan or Query."""
        items: list[dict[str, Any]] = []
        while True:
            answer = call(method, **arguments)
            items += answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return items
            arguments = {**arguments, "ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _put(
        self,
        table: str,
        item: Mapping[str, Any],
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> bool:
        """PutItem; whether the condition held."""
        arguments: dict[str, Any] = {"TableName": table, "Item": _serialize(item)}
        if condition:
            arguments["ConditionExpression"] = condition
        return self._write(self._client.put_item, arguments, names, values)

    def _update(
        self, key: str, update: str, names: Mapping[str, str], values: Mapping[str, Any], condition: str | None = None
    ) -> bool:
        """UpdateItem of an item that exists; whether the condition held."""
        arguments = {
            "TableName": self._state_table,
            "Key": _serialize({"operation_id": key}),
            "UpdateExpression": update,
            "ConditionExpression": condition or "attribute_exists(operation_id)",
        }
        return self._write(self._client.update_item, arguments, names, values)

    @staticmethod
    def _write(
        method: Any, arguments: dict[str, Any], names: Mapping[str, str] | None, values: Mapping[str, Any] | None
    ) -> bool:
        if names:
            arguments["ExpressionAttributeNames"] = dict(names)
        if values:
            arguments["ExpressionAttributeValues"] = _serialize(values)
        try:
            call(method, **arguments)
        except AwsCallFailed as error:
            if error.aws_code == CONDITION_FAILED:
                return False
            raise
        return True


def _lock_key(resource: str) -> str:
    return f"lock#{resource}"


def _history_key(resource: str) -> str:
    return f"history#{resource}"


def _serialize(item: Mapping[str, Any]) -> dict[str, Any]:
    """Plain JSON as DynamoDB's types; it takes no floats, and keeps Decimals exactly."""
    exact = json.loads(json.dumps(item), parse_float=Decimal)
    return {key: TypeSerializer().serialize(value) for key, value in exact.items()}


def _deserialize(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _plain(TypeDeserializer().deserialize(value)) for key, value in item.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value

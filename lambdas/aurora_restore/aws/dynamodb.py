"""One DynamoDB table, in plain JSON: reads are consistent, and a write says whether its condition held."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from aurora_restore.aws.calls import call
from aurora_restore.errors import AwsCallFailed

CONDITION_FAILED = "ConditionalCheckFailedException"


class Table:
    """A table behind the low-level client, which, unlike the resource, can be shared between threads.

    Expressions name attributes by `#name` and values by `:name`; `names` and `values` say what these stand for. Every
    method raises what `aws.calls.call` raises.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """GetItem; None when there is no such item."""
        answer = call(self._client.get_item, TableName=self._name, Key=_serialize(key), ConsistentRead=True)
        return _deserialize(answer["Item"]) if "Item" in answer else None

    def put(
        self,
        item: Mapping[str, Any],
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> bool:
        """PutItem; whether the condition held."""
        return self._write(self._client.put_item, {"Item": _serialize(item)}, condition, names, values)

    def update(
        self,
        key: Mapping[str, Any],
        update: str,
        condition: str,
        names: Mapping[str, str],
        values: Mapping[str, Any],
    ) -> bool:
        """UpdateItem; whether the condition held."""
        arguments = {"Key": _serialize(key), "UpdateExpression": update}
        return self._write(self._client.update_item, arguments, condition, names, values)

    def query(self, condition: str, names: Mapping[str, str], values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Query, all pages."""
        return self._pages(self._client.query, {"KeyConditionExpression": condition}, names, values)

    def scan(self, condition: str, names: Mapping[str, str], values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Scan with a filter, all pages."""
        return self._pages(self._client.scan, {"FilterExpression": condition}, names, values)

    def _pages(
        self,
        method: Callable[..., Any],
        arguments: Mapping[str, Any],
        names: Mapping[str, str],
        values: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        arguments = {"TableName": self._name, "ConsistentRead": True, **arguments, **_placeholders(names, values)}
        items: list[dict[str, Any]] = []
        while True:
            answer = call(method, **arguments)
            items += [_deserialize(item) for item in answer["Items"]]
            if not answer.get("LastEvaluatedKey"):
                return items
            arguments = {**arguments, "ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _write(
        self,
        method: Callable[..., Any],
        arguments: Mapping[str, Any],
        condition: str | None,
        names: Mapping[str, str] | None,
        values: Mapping[str, Any] | None,
    ) -> bool:
        given = {"ConditionExpression": condition} if condition else {}
        try:
            call(method, TableName=self._name, **arguments, **given, **_placeholders(names, values))
        except AwsCallFailed as error:
            if error.aws_code == CONDITION_FAILED:
                return False
            raise
        return True


def _placeholders(names: Mapping[str, str] | None, values: Mapping[str, Any] | None) -> dict[str, Any]:
    """DynamoDB refuses empty ones."""
    given: dict[str, Any] = {}
    if names:
        given["ExpressionAttributeNames"] = dict(names)
    if values:
        given["ExpressionAttributeValues"] = _serialize(values)
    return given


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

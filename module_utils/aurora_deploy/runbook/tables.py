"""The state and audit tables, read by the runbooks."""

from __future__ import annotations

from typing import Any

from aurora_deploy.clients import Aws
from aurora_deploy.runbook.timeline import plain


def state_item(aws: Aws, table: str, key: str) -> dict[str, Any] | None:
    """Return an item of the state table, read consistently: an operation, or a lock `lock#<region>#<cluster>`."""
    answer = aws.client("dynamodb").get_item(TableName=table, Key={"operation_id": {"S": key}}, ConsistentRead=True)
    return plain(answer["Item"]) if "Item" in answer else None


def audit_events(aws: Aws, table: str, operation: str) -> list[dict[str, Any]]:
    """Return the audit trail of an operation, oldest first, read consistently."""
    items = aws.pages(
        "dynamodb",
        "query",
        "Items",
        TableName=table,
        KeyConditionExpression="operation_id = :operation",
        ExpressionAttributeValues={":operation": {"S": operation}},
        ConsistentRead=True,
    )
    return [plain(item) for item in items]

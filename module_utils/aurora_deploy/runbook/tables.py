"""The state and audit tables, read by the runbooks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from aurora_deploy.clients import Aws
from aurora_deploy.errors import DEPLOY_FIRST, DeployError, is_code
from aurora_deploy.runbook.timeline import plain


def state_item(aws: Aws, table: str, key: str) -> dict[str, Any] | None:
    """Return an item of the state table, read consistently: an operation, or a lock `lock#<region>#<cluster>`.

    :raises DeployError: there is no such table.
    """
    get_item = aws.client("dynamodb").get_item
    with _deployed(table):
        answer = get_item(TableName=table, Key={"operation_id": {"S": key}}, ConsistentRead=True)
    return plain(answer["Item"]) if "Item" in answer else None


def audit_events(aws: Aws, table: str, operation: str) -> list[dict[str, Any]]:
    """Return the audit trail of an operation, oldest first, read consistently.

    :raises DeployError: there is no such table.
    """
    items = aws.pages(
        "dynamodb",
        "query",
        "Items",
        TableName=table,
        KeyConditionExpression="operation_id = :operation",
        ExpressionAttributeValues={":operation": {"S": operation}},
        ConsistentRead=True,
    )
    with _deployed(table):
        return [plain(item) for item in items]


@contextlib.contextmanager
def _deployed(table: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if is_code(error, "ResourceNotFoundException"):
            raise DeployError(f"the table {table} does not exist. Fix: {DEPLOY_FIRST}") from error
        raise

"""An Aws connection whose clients are scripted; what the runbooks call is recorded."""

from __future__ import annotations

import datetime
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

START = datetime.datetime(2026, 11, 23, 7, 0, tzinfo=datetime.UTC)
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:aurora-restore-state-machine"


def refused(operation: str, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


class FakeAws:
    """Executions by name with their histories, and the records of the state table."""

    region = "us-east-1"

    def __init__(self) -> None:
        self.executions: dict[str, dict[str, Any]] = {}
        self.histories: dict[str, list[dict[str, Any]]] = {}
        self.records: dict[str, dict[str, Any]] = {}
        self.started: list[dict[str, Any]] = []
        self.stopped: list[tuple[str, str]] = []

    def client(self, _service: str) -> FakeAws:
        return self

    def get_item(self, *, Key: dict[str, dict[str, str]], **_: Any) -> dict[str, Any]:
        found = self.records.get(Key["operation_id"]["S"])
        return {"Item": {key: TypeSerializer().serialize(value) for key, value in found.items()}} if found else {}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        name = executionArn.rpartition(":")[2]
        if name not in self.executions:
            raise refused("DescribeExecution", "ExecutionDoesNotExist")
        return {"executionArn": executionArn, "name": name, "startDate": START, "input": "{}", **self.executions[name]}

    def start_execution(self, *, name: str, **arguments: Any) -> None:
        if name in self.executions:
            raise refused("StartExecution", "ExecutionAlreadyExists")
        self.started.append({"name": name, **arguments})

    def stop_execution(self, *, executionArn: str, error: str, cause: str) -> None:
        name = executionArn.rpartition(":")[2]
        self.stopped.append((name, error))
        self.executions[name] |= {"status": "ABORTED", "cause": cause}

    def get_execution_history(self, *, executionArn: str, **_: Any) -> dict[str, Any]:
        return {"events": self.histories[executionArn.rpartition(":")[2]][::-1]}

"""An Aws connection whose clients are scripted; what the runbooks call is recorded."""

from __future__ import annotations

import datetime
import io
import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

START = datetime.datetime(2026, 11, 23, 7, 0, tzinfo=datetime.UTC)
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:aurora-restore-state-machine"


def refused(operation: str, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


class FakeAws:
    """Executions by name, the answers of the clean-up function in turn, and the audit trail."""

    region = "us-east-1"

    def __init__(self) -> None:
        self.executions: dict[str, dict[str, Any]] = {}
        self.history: list[dict[str, Any]] = []
        self.cleanup: list[dict[str, Any]] = []
        self.audit: list[dict[str, Any]] = []
        self.invoked: list[dict[str, Any]] = []
        self.started: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.timeouts: dict[str, int] = {"aurora-restore-handle-failure": 300}

    def client(self, _service: str) -> FakeAws:
        return self

    def pages(self, _service: str, operation: str, _key: str, **_: Any) -> Iterator[dict[str, Any]]:
        assert operation == "query"
        for event in self.audit:
            yield {key: {"S": value} for key, value in event.items()}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        name = executionArn.rpartition(":")[2]
        if name not in self.executions:
            raise refused("DescribeExecution", "ExecutionDoesNotExist")
        return {"executionArn": executionArn, "name": name, "startDate": START, "input": "{}", **self.executions[name]}

    def start_execution(self, *, name: str, **arguments: Any) -> None:
        self.started.append({"name": name, **arguments})

    def stop_execution(self, *, executionArn: str, cause: str, **_: Any) -> None:
        name = executionArn.rpartition(":")[2]
        self.stopped.append(name)
        self.executions[name] |= {"status": "ABORTED", "cause": cause}

    def get_execution_history(self, **_: Any) -> dict[str, Any]:
        return {"events": self.history[::-1]}

    def get_function_configuration(self, *, FunctionName: str, **_: Any) -> dict[str, Any]:
        return {"Timeout": self.timeouts[FunctionName]}

    def invoke(self, *, FunctionName: str, Qualifier: str, Payload: bytes) -> dict[str, Any]:
        self.invoked.append({"function": FunctionName, "alias": Qualifier, "document": json.loads(Payload)})
        answer = self.cleanup.pop(0)
        failed = {"FunctionError": "Unhandled"} if "errorMessage" in answer else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **failed}

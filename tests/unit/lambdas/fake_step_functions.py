"""A Step Functions client that knows executions by ARN, as far as the functions ask about them."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:m"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m"


class FakeStepFunctions:
    """`executions` holds what DescribeExecution says, `histories` the newest events, `started` what was started."""

    def __init__(self) -> None:
        self.executions: dict[str, dict[str, Any]] = {}
        self.histories: dict[str, list[dict[str, Any]]] = {}
        self.started: list[dict[str, Any]] = []

    def describe_execution(self, executionArn: str) -> dict[str, Any]:
        if executionArn not in self.executions:
            raise _fault("ExecutionDoesNotExist", "DescribeExecution")
        return {"stateMachineArn": MACHINE, **self.executions[executionArn]}

    def get_execution_history(self, executionArn: str, **_: Any) -> dict[str, Any]:
        return {"events": self.histories.get(executionArn, [])}

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002  # boto3's name
        if any(known["name"] == name for known in self.started):
            raise _fault("ExecutionAlreadyExists", "StartExecution")
        self.executions[f"{EXECUTION}:{name}"] = {"status": "RUNNING"}
        self.started.append({"machine": stateMachineArn, "name": name, "input": input})
        return {"executionArn": f"{MACHINE}:{name}"}


def _fault(code: str, operation: str) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(answer, operation)

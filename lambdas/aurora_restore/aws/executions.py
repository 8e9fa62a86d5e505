"""Executions of the pipeline's own state machine, as the functions look at them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aurora_restore.aws.calls import call
from aurora_restore.errors import AwsCallFailed

ATTEMPT_RUNS = frozenset(
    {"LambdaFunctionScheduled", "LambdaFunctionStarted", "TaskScheduled", "TaskStarted", "TaskSubmitted"}
)
ENDS = frozenset({"ExecutionAborted", "ExecutionFailed", "ExecutionSucceeded", "ExecutionTimedOut"})
TAIL = 100  # events; whatever was in flight at the end is among the last few


@dataclass(frozen=True)
class Described:
    """DescribeExecution. `machine_arn` is what starts another one: the alias, where the execution was started by it."""

    status: str
    error: str
    cause: str
    machine_arn: str

    @property
    def running(self) -> bool:
        return self.status in ("RUNNING", "PENDING_REDRIVE")


@dataclass(frozen=True)
class InFlight:
    """The state whose function had been called and had not answered when the execution ended, and since when."""

    state: str
    since: datetime


class Executions:
    """AWS Step Functions; AWS forgets executions 90 days after they ended."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def find(self, arn: str) -> Described | None:
        """DescribeExecution; None for what does not exist (any more)."""
        try:
            found = call(self._client().describe_execution, executionArn=arn)
        except AwsCallFailed as error:
            if error.aws_code == "ExecutionDoesNotExist":
                return None
            raise
        machine = found.get("stateMachineAliasArn") or found["stateMachineArn"]
        return Described(found["status"], found.get("error") or "", found.get("cause") or "", machine)

    def in_flight(self, arn: str) -> InFlight | None:
        """What was in flight when an execution ended: ending it does not end the function (GetExecutionHistory)."""
        arguments = {"executionArn": arn, "reverseOrder": True, "maxResults": TAIL, "includeExecutionData": False}
        return last_in_flight(call(self._client().get_execution_history, **arguments)["events"])

    def start(self, machine_arn: str, name: str, document: Mapping[str, Any]) -> bool:
        """StartExecution; False when one of this name was started before: names are used once in 90 days."""
        try:
            call(
                self._client().start_execution,
                stateMachineArn=machine_arn,
                name=name,
                input=json.dumps(document, sort_keys=True),
            )
        except AwsCallFailed as error:
            if error.aws_code == "ExecutionAlreadyExists":
                return False
            raise
        return True


def last_in_flight(newest_first: list[dict[str, Any]]) -> InFlight | None:
    """From the newest events of an ended execution's history."""
    since: datetime | None = None
    attempt = True
    for event in newest_first:
        kind = event["type"]
        if kind in ENDS or kind.endswith("StateAborted"):
            continue
        if kind.endswith("StateEntered"):
            return InFlight(event["stateEnteredEventDetails"]["name"], since) if since else None
        attempt = attempt and kind in ATTEMPT_RUNS  # what came before an earlier answer is an earlier attempt
        if attempt:
            since = event["timestamp"]
        elif since is None:
            return None
    return None

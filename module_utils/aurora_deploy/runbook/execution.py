"""Executions of the pipeline's state machine: start (once), find, stop."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from aurora_deploy.clients import Aws
from aurora_deploy.errors import DEPLOY_FIRST, DeployError, is_code


@dataclasses.dataclass(frozen=True)
class StateMachine:
    """The state machine by ARN; executions are started through its alias, the last version that was deployed."""

    arn: str
    alias: str = "live"

    @property
    def qualified(self) -> str:
        """What StartExecution is given."""
        return f"{self.arn}:{self.alias}"

    @property
    def name_prefix(self) -> str:
        """The deployment's name prefix, which begins the machine's name (vars/names.yml)."""
        return self.arn.rpartition(":")[2].removesuffix("-state-machine")

    def execution_arn(self, name: str) -> str:
        """The ARN of the execution `name`; the alias is no part of it."""
        return f"{self.arn.replace(':stateMachine:', ':execution:')}:{name}"


def start(aws: Aws, machine: StateMachine, request: Mapping[str, Any]) -> bool:
    """Start the operation of `request`; returns False when it had been started before with the same request.

    StartExecution is idempotent only while the execution runs, and does not say whether it began anything, so the
    execution is looked up first. The race that remains ends in StartExecution's own ExecutionAlreadyExists.

    :raises DeployError: the operation id belongs to another request, or the pipeline is not deployed.
    """
    name = str(request["operation_id"])
    if _same_before(aws, machine, request):
        return False
    try:
        aws.client("stepfunctions").start_execution(
            stateMachineArn=machine.qualified, name=name, input=json.dumps(request, sort_keys=True)
        )
    except Exception as error:
        if is_code(error, "ExecutionAlreadyExists") and _same_before(aws, machine, request):
            return False
        if is_code(error, "StateMachineDoesNotExist", "ResourceNotFound"):
            raise DeployError(f"{machine.qualified} does not exist. Fix: {DEPLOY_FIRST}") from error
        raise
    return True


def describe(aws: Aws, arn: str) -> dict[str, Any] | None:
    """Return DescribeExecution's answer; None when AWS knows no such execution (it forgets them after 90 days)."""
    try:
        described: dict[str, Any] = aws.client("stepfunctions").describe_execution(executionArn=arn)
    except Exception as error:
        if is_code(error, "ExecutionDoesNotExist"):
            return None
        raise
    return described


def _same_before(aws: Aws, machine: StateMachine, request: Mapping[str, Any]) -> bool:
    earlier = describe(aws, machine.execution_arn(str(request["operation_id"])))
    if earlier is None:
        return False
    if json.loads(earlier.get("input") or "{}") == request:
        return True
    raise DeployError(
        f"operation {request['operation_id']} was started before with another request. "
        "Fix: leave operation_id out to get a new one, or look at that operation with playbooks/status.yml."
    )

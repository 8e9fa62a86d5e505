"""What is known about operations: from the executions, the state table and the audit trail."""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from aurora_deploy.clients import Aws
from aurora_deploy.errors import DeployError
from aurora_deploy.runbook.execution import StateMachine, describe
from aurora_deploy.runbook.tables import audit_events, state_item
from aurora_deploy.runbook.text import UTC, duration, moment
from aurora_deploy.runbook.timeline import timeline

#: How many executions back an operation of a given target is looked for.
_SEARCH_DEPTH = 200


def latest(aws: Aws, machine: StateMachine, target: str, count: int) -> list[dict[str, Any]]:
    """Return the `count` newest operations, newest first, of `target` or of all: DescribeExecution's answers.

    AWS keeps executions for 90 days after they ended; older operations are found by their id in the state table.
    """
    executions = aws.pages("stepfunctions", "list_executions", "executions", stateMachineArn=machine.arn)
    described = (describe(aws, each["executionArn"]) for each in itertools.islice(executions, _SEARCH_DEPTH))
    return list(itertools.islice(_of_target(described, target), count))


def _of_target(executions: Iterator[dict[str, Any] | None], target: str) -> Iterator[dict[str, Any]]:
    return (each for each in executions if each and target in ("", target_of(each)))


def target_of(execution: Mapping[str, Any]) -> str:
    """Return the cluster that an execution was asked to restore."""
    request = json.loads(execution.get("input") or "{}")
    return str((request.get("target") or {}).get("cluster", ""))


def overview(execution: Mapping[str, Any]) -> str:
    """Return one line about an execution."""
    stopped = execution.get("stopDate")
    took = duration((stopped - execution["startDate"]).total_seconds()) if stopped else "running"
    started = moment(execution["startDate"])
    plan_only = ", dry run" if json.loads(execution.get("input") or "{}").get("dry_run") else ""
    return f"{execution['name']:<24} {execution['status']:<10} {target_of(execution):<28} {started}  {took}{plan_only}"


def operation_status(
    aws: Aws, machine: StateMachine, operation: str, state_table: str, audit_table: str
) -> dict[str, Any]:
    """Return everything about one operation: `execution`, `item`, `events`, `lock` (None where there is none).

    :raises DeployError: neither the tables nor AWS know it.
    """
    execution = describe(aws, machine.execution_arn(operation))
    item = state_item(aws, state_table, operation)
    events = audit_events(aws, audit_table, operation)
    if execution is None and item is None and not events:
        raise DeployError(f"there is no operation {operation}. Fix: leave operation out to list the latest ones")
    target = target_of(execution) if execution else ""
    lock = state_item(aws, state_table, f"lock#{aws.region}#{target}") if target else None
    return {
        "operation": operation,
        "execution": execution,
        "item": item,
        "events": events,
        "lock": lock,
        "target": target,
    }


def report(status: Mapping[str, Any]) -> list[str]:
    """Return the lines that show one operation."""
    execution, item, lock = status["execution"], status["item"], (status["lock"] or {}).get("state", {})
    lines = [overview(execution) if execution else f"{status['operation']}: AWS no longer keeps the execution"]
    if execution and execution.get("error"):
        lines.append(f"  error      {execution['error']}: {execution.get('cause', '')}")
    lines.append(
        f"  state      {item['status']}, last change {item['timestamp']}"
        if item
        else "  state      none: nothing was begun"
    )
    if status["target"]:
        held = (
            f"held by {lock['owner']} until {moment(datetime.datetime.fromtimestamp(int(lock['lease_until']), UTC))}"
            if lock.get("owner")
            else "free"
        )
        lines.append(f"  lock       {status['target']}: {held}")
    return [*lines, *(f"  {line}" for line in timeline(status["events"]))]

"""Which alarms watch the pipeline, and what their descriptions tell whoever is woken by them. No AWS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_deploy.diff import Attributes

# name's end, metric of AWS/States, what happened, what to do
_EXECUTION_ALARMS = (
    (
        "failures",
        "ExecutionsFailed",
        "A restore ended FAILED; its target is as it was before.",
        "Read the error with playbooks/status.yml and act on the fix that it names.",
    ),
    (
        "timeouts",
        "ExecutionsTimedOut",
        "A restore hit the state machine's timeout: its clean-up may not have run.",
        "Look for clusters that carry its operation tag, raise state_machine_timeout_seconds, start it again.",
    ),
    (
        "aborts",
        "ExecutionsAborted",
        "Somebody aborted a restore: its clean-up may not have run.",
        "Look for clusters that carry its operation tag; playbooks/abort.yml aborts and cleans up.",
    ),
    (
        "throttles",
        "ExecutionThrottled",
        "Step Functions throttled the restore state machine.",
        "Start fewer restores at once or raise the quota of state transitions.",
    ),
)


def declare(args: Mapping[str, Any]) -> dict[str, Attributes]:
    """Return every alarm by name: four on the executions, three on each function."""
    prefix = args["name_prefix"]
    alarms = {}
    for end, metric, happened, remedy in _EXECUTION_ALARMS:
        dimensions = {"StateMachineArn": args["state_machine_arn"]}
        alarms[f"{prefix}-step-functions-{end}"] = _alarm(
            args, "AWS/States", metric, dimensions, f"{happened} {remedy}"
        )
    for function in args["functions"]:
        alarms |= _function_alarms(args, f"{prefix}-{function['step']}", function["timeout"])
    return alarms


def _function_alarms(args: Mapping[str, Any], name: str, timeout: int) -> dict[str, Attributes]:
    dimensions = {"FunctionName": name}
    # Duration is in milliseconds, timeouts are in seconds.
    slow = {"statistic": "p99", "threshold": timeout * 1000 * args["duration_percent"] / 100}
    texts = {
        "errors": f"The function {name} failed. Read its log group /aws/lambda/{name}; the restore retries by itself.",
        "throttles": f"Lambda throttled {name}. Raise the account's concurrency, or its own reserved concurrency.",
        "duration": f"{name} came near its timeout of {timeout} s. Raise lambda_timeout_seconds or its override.",
    }
    return {
        f"{name}-errors": _alarm(args, "AWS/Lambda", "Errors", dimensions, texts["errors"]),
        f"{name}-throttles": _alarm(args, "AWS/Lambda", "Throttles", dimensions, texts["throttles"]),
        f"{name}-duration": {**_alarm(args, "AWS/Lambda", "Duration", dimensions, texts["duration"]), **slow},
    }


def _alarm(
    args: Mapping[str, Any], namespace: str, metric: str, dimensions: dict[str, str], description: str
) -> Attributes:
    return {
        "description": description,
        "namespace": namespace,
        "metric": metric,
        "dimensions": dimensions,
        "statistic": "Sum",
        "threshold": 1,
        "comparison": "GreaterThanOrEqualToThreshold",
        "period": args["period"],
        "evaluation_periods": args["evaluation_periods"],
        "datapoints_to_alarm": args["evaluation_periods"],
        "missing_data": "notBreaching",  # a pipeline that does not run is not in trouble
        "actions_enabled": True,
        "alarm_actions": list(args["actions"]),
        "ok_actions": [],
        "insufficient_data_actions": [],
        "tags": dict(args["tags"]),
    }

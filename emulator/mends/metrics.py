"""Executions and functions feed CloudWatch, so that an alarm on them goes off.

ministack records no ``AWS/States`` metrics, none for functions that a state machine calls, and looks at alarms only
when somebody calls PutMetricData. Names and dimensions: Step Functions Developer Guide, "Monitoring Step Functions
metrics using Amazon CloudWatch", and Lambda Developer Guide, "Types of metrics for Lambda functions".
"""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any

from ministack.services import cloudwatch, lambda_svc, stepfunctions

from emulator.settings import Settings

_ENDED = {"SUCCEEDED": "ExecutionsSucceeded", "FAILED": "ExecutionsFailed", "TIMED_OUT": "ExecutionsTimedOut"}
_ENDED["ABORTED"] = "ExecutionsAborted"
_evaluating = threading.Lock()


def apply(settings: Settings) -> None:
    """Record metrics where executions change their status and where functions run."""
    del settings
    emit_status_event = stepfunctions._emit_execution_status_event
    dispatch = lambda_svc._execute_function_dispatch
    emit_lambda_metrics = lambda_svc._emit_lambda_metrics

    def status_event(execution: dict[str, Any]) -> None:
        emit_status_event(execution)
        _record_execution(execution)

    def dispatch_and_record(
        func: dict[str, Any], config: dict[str, Any], event: Any, request_id: str, started: float
    ) -> Any:
        result = dispatch(func, config, event, request_id, started)
        failed = bool(result.get("error")) and not result.get("throttle")
        emit_lambda_metrics(config["FunctionName"], (time.time() - started) * 1000, error=failed, throttle=False)
        _evaluate()
        return result

    def throttles_only(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        """The service's own call: a run has been recorded by then, a throttled one never runs."""
        if throttle and duration_ms == 0:
            cloudwatch.record_metric("AWS/Lambda", "Throttles", 1, "Count", {"FunctionName": function_name})
            _evaluate()

    stepfunctions._emit_execution_status_event = status_event
    lambda_svc._execute_function_dispatch = dispatch_and_record
    lambda_svc._emit_lambda_metrics = throttles_only


def _record_execution(execution: dict[str, Any]) -> None:
    dimensions = {"StateMachineArn": execution["stateMachineArn"]}
    name = _ENDED.get(execution["status"], "ExecutionsStarted")
    cloudwatch.record_metric("AWS/States", name, 1, "Count", dimensions)
    if execution["stopDate"]:
        took = _seconds(execution["stopDate"]) - _seconds(execution["startDate"])
        cloudwatch.record_metric("AWS/States", "ExecutionTime", took * 1000, "Milliseconds", dimensions)
    _evaluate()


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def _evaluate() -> None:
    with _evaluating:
        cloudwatch._evaluate_all_alarms()

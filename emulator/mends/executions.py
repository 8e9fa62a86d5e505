"""Executions start, run the version they name, time out and end as in Step Functions.

Facts from the AWS Step Functions API Reference (StartExecution, DescribeExecution) and Developer Guide ("Handling
errors in Step Functions workflows", "Service quotas": 256 KiB as a UTF-8 encoded string for a task's, state's or
execution's data).
"""

from __future__ import annotations

import contextvars
import json
import random
import threading
from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import stepfunctions

from emulator.settings import Settings

Execution = dict[str, Any]

PAYLOAD_LIMIT = 262_144

role_arn: contextvars.ContextVar[str] = contextvars.ContextVar("role_arn", default="")
_running_version: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("version", default=None)


class _StateMachines(AccountRegionScopedDict):  # type: ignore[misc]
    """The state machines, seen by an execution of a version as that version was when it was published."""

    __slots__ = ()

    def get(self, key: str, default: Any = None) -> Any:
        machine, version = super().get(key, default), _running_version.get()
        if machine and version and version["stateMachineArn"] == key:
            return {**machine, "definition": version["definition"], "roleArn": version["roleArn"]}
        return machine


def apply(settings: Settings) -> None:
    """Replace ministack's start, run, event, failure and description of executions."""
    del settings
    stepfunctions._state_machines.__class__ = _StateMachines
    _mend_start()
    _mend_run()
    _mend_events()
    _mend_failure()
    _mend_payloads()


def _mend_start() -> None:
    start_execution = stepfunctions._start_execution
    describe_execution = stepfunctions._describe_execution

    def start(request: dict[str, Any]) -> Any:
        text = request.setdefault("input", "{}")
        if len(text.encode()) > PAYLOAD_LIMIT:
            return _error("ValidationException", f"'input' must have length less than or equal to {PAYLOAD_LIMIT}")
        try:
            json.loads(text)
        except ValueError as error:
            return _error("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'")
        existing = _namesake(request)
        if existing and existing["status"] == "RUNNING" and existing["input"] == text:
            return stepfunctions.json_response(
                {"executionArn": existing["executionArn"], "startDate": existing["startDate"]}
            )
        named = request.get("stateMachineArn", "")
        version, alias = _version_and_alias(named)
        token = _running_version.set(version)
        try:
            response = start_execution(request)
        finally:
            _running_version.reset(token)
        if response[0] == 200:
            execution = stepfunctions._executions[json.loads(response[2])["executionArn"]]
            execution["stateMachineVersionArn"] = version and version["stateMachineVersionArn"]
            execution["stateMachineAliasArn"] = alias
        return response

    def describe(request: dict[str, Any]) -> Any:
        status, headers, body = describe_execution(request)
        if status != 200:
            return status, headers, body
        execution = stepfunctions._executions[request["executionArn"]]
        known = {name: execution.get(name) for name in ("stateMachineVersionArn", "stateMachineAliasArn")}
        return stepfunctions.json_response({**json.loads(body), **{name: arn for name, arn in known.items() if arn}})

    stepfunctions._start_execution = start
    stepfunctions._describe_execution = describe


def _namesake(request: dict[str, Any]) -> Execution | None:
    machine = stepfunctions._resolve_state_machine_arn(request.get("stateMachineArn", ""))
    if not machine or not request.get("name"):
        return None
    found: Execution | None = stepfunctions._executions.get(
        f"{machine.replace(':stateMachine:', ':execution:')}:{request['name']}"
    )
    return found


def _version_and_alias(arn: str) -> tuple[dict[str, Any] | None, str | None]:
    """The version an execution of ``arn`` runs, and ``arn`` itself if it is an alias, which chooses by weight."""
    alias = stepfunctions._state_machine_aliases.get(arn)
    if not alias:
        return stepfunctions._state_machine_versions.get(arn), None
    routes = alias["routingConfiguration"]
    chosen = random.choices(routes, [route["weight"] for route in routes])[0]["stateMachineVersionArn"]
    return stepfunctions._state_machine_versions.get(chosen), arn


def _mend_run() -> None:
    run_execution = stepfunctions._run_execution

    def run(execution_arn: str) -> None:
        execution = stepfunctions._executions[execution_arn]
        machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) or {}
        role_arn.set(machine.get("roleArn", ""))
        seconds = json.loads(machine.get("definition", "{}")).get("TimeoutSeconds")
        if seconds is None:
            run_execution(execution_arn)
            return
        timer = threading.Timer(seconds, contextvars.copy_context().run, (_time_out, execution))
        timer.daemon = True
        timer.start()
        try:
            run_execution(execution_arn)
        finally:
            timer.cancel()

    stepfunctions._run_execution = run


def _time_out(execution: Execution) -> None:
    if execution["status"] != "RUNNING":
        return
    execution["status"] = "TIMED_OUT"
    execution["stopDate"] = stepfunctions.now_iso()
    stepfunctions._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
    stepfunctions._emit_execution_status_event(execution)


def _mend_events() -> None:
    add_event = stepfunctions._add_event

    def add(execution: Execution, event_type: str, details: dict[str, Any] | None = None) -> Any:
        """Add an event, unless the execution has ended: a state that still runs then leaves no trace."""
        if execution.get("status", "RUNNING") != "RUNNING" and not event_type.startswith("Execution"):
            return {}
        exited = (details or {}).get("stateExitedEventDetails")
        if exited:
            _check_size(json.loads(exited["output"]), f"The state '{exited['name']}'")
        return add_event(execution, event_type, details)

    stepfunctions._add_event = add


def _mend_failure() -> None:
    fail_execution = stepfunctions._fail_execution

    def fail(execution: Execution, error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            fail_execution(execution, error, cause)
            execution["output"] = None

    stepfunctions._fail_execution = fail


def _mend_payloads() -> None:
    invoke_resource = stepfunctions._invoke_resource

    def invoke(resource: str, parameters: Any) -> Any:
        _check_size(parameters, "The input of the task")
        result = invoke_resource(resource, parameters)
        _check_size(result, "The task")
        return result

    stepfunctions._invoke_resource = invoke


def _check_size(value: Any, what: str) -> None:
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    if size > PAYLOAD_LIMIT:
        raise stepfunctions._ExecutionError(
            "States.DataLimitExceeded",
            f"{what} has a size of {size} bytes, exceeding the maximum number of bytes service limit.",
        )


def _error(code: str, message: str) -> Any:
    return stepfunctions.error_response_json(code, message, 400)

"""Runs the real definition: every Task calls the real step, every Wait moves the fake clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aurora_restore.clock import iso
from tests.unit.lambdas.fake_clock import FakeClock
from tests.unit.lambdas.fake_rds import Killed

DEFINITION = Path(__file__).parents[3] / "state_machine" / "aurora_restore.asl.json"
NUMBERS: dict[str, Any] = {
    "StateMachineTimeoutSeconds": 7200,
    "TaskTimeoutSeconds": 330,
    "MaxRetries": 3,
    "RetryIntervalSeconds": 3,
    "RetryBackoffRate": 2.0,
}
TEXTS = {"FunctionArnPrefix": "arn:aws:lambda:us-east-1:123456789012:function:aurora-restore", "FunctionAlias": "live"}


def definition() -> dict[str, Any]:
    """The definition with its placeholders filled in, as the deployment does it."""
    text = DEFINITION.read_text("utf-8")
    for name, value in NUMBERS.items():
        text = text.replace(f'"${{{name}}}"', json.dumps(value))
    for name, value in TEXTS.items():
        text = text.replace(f"${{{name}}}", value)
    assert "${" not in text.replace(json.loads(text)["Comment"], "")
    return dict(json.loads(text))


class Stopped(BaseException):
    """Somebody, or the time-out, ended the execution here: no Catch runs."""


def execution_arn(name: str) -> str:
    return f"arn:aws:states:us-east-1:123456789012:execution:m:{name}"


@dataclass
class Execution:
    """How an execution ended, and the way it took.

    `events` are the types of its history's events, as Step Functions writes and counts them (GetExecutionHistory);
    `largest` is the size in bytes of the largest document that went from one state to the next.
    """

    status: str = "RUNNING"
    error: str = ""
    cause: str = ""
    output: dict[str, Any] = field(default_factory=dict)
    visited: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    largest: int = 0

    def passes(self, document: Mapping[str, Any]) -> None:
        """A document leaves a state."""
        self.largest = max(self.largest, len(json.dumps(document, ensure_ascii=False).encode()))


#: What somebody answers to a task's token: its result, an error, or None for nothing until the time is over.
Answers = Callable[[str], "Mapping[str, Any] | Exception | None"]
Handler = Callable[[dict[str, Any], object], dict[str, Any]]


def execute(
    request: Any,
    handlers: Mapping[str, Handler],
    clock: FakeClock,
    name: str = "20261123-071450-x7k2",
    answers: Answers = lambda _token: None,
) -> Execution:
    """Interpret the definition from its start; `handlers` by function name (`snapshot-check`)."""
    machine, execution = definition(), Execution()
    document: dict[str, Any] = {}
    context = {
        "Id": execution_arn(name),
        "Name": name,
        "StartTime": iso(clock.now()),
    }
    state_name = machine["StartAt"]
    execution.events.append("ExecutionStarted")
    while True:
        execution.visited.append(state_name)
        state, kind = machine["States"][state_name], machine["States"][state_name]["Type"]
        execution.events.append(f"{kind}StateEntered")
        execution.passes(document)
        if kind == "Pass" and "Result" in state:
            document = {**document, state["ResultPath"].removeprefix("$."): state["Result"]}
            state_name = state["Next"]
        elif kind == "Pass" and "InputPath" in state:
            document = {**document, state["ResultPath"].removeprefix("$."): _look_up(document, state["InputPath"])}
            state_name = state["Next"]
        elif kind == "Pass":
            document = {
                "request": request,
                "execution": {"id": context["Id"], "name": name, "started_at": context["StartTime"]},
            }
            state_name = state["Next"]
        elif kind == "Task":
            document, state_name = _task(state, document, handlers, clock, execution, answers)
        elif kind == "Choice":
            state_name = next((rule["Next"] for rule in state["Choices"] if _holds(rule, document)), state["Default"])
        elif kind == "Wait":
            clock.advance(_look_up(document, state["SecondsPath"]))
            state_name = state["Next"]
        else:
            execution.output = json.loads(json.dumps(document))
            execution.status = "SUCCEEDED" if kind == "Succeed" else "FAILED"
            execution.error = (
                state.get("Error") or _look_up(document, state.get("ErrorPath", "$")) if kind == "Fail" else ""
            )
            execution.cause = _look_up(document, state["CausePath"]) if kind == "Fail" else ""
            execution.events += ["SucceedStateExited"] if kind == "Succeed" else []
            execution.events.append(f"Execution{execution.status.capitalize()}")
            return execution
        execution.events.append(f"{kind}StateExited")


def _task(
    state: Mapping[str, Any],
    document: dict[str, Any],
    handlers: Mapping[str, Handler],
    clock: FakeClock,
    execution: Execution,
    answers: Answers,
) -> tuple[dict[str, Any], str]:
    attempts = [0] * len(state["Retry"])
    while True:
        attempt = _wait_for_answer if state["Resource"].endswith(".waitForTaskToken") else _call
        result, caught = attempt(state, document, handlers, clock, execution, answers)
        if result is not None:
            return {**document, state["ResultPath"].removeprefix("$."): json.loads(json.dumps(result))}, state["Next"]
        retrier = next((n for n, rule in enumerate(state["Retry"]) if caught["Error"] in rule["ErrorEquals"]), None)
        if retrier is not None and attempts[retrier] < state["Retry"][retrier]["MaxAttempts"]:
            attempts[retrier] += 1
            clock.advance(state["Retry"][retrier]["IntervalSeconds"])
            continue
        names = (caught["Error"], "States.ALL")
        rule = next(rule for rule in state["Catch"] if any(name in names for name in rule["ErrorEquals"]))
        return {**document, rule["ResultPath"].removeprefix("$."): caught}, rule["Next"]


Attempt = tuple["Mapping[str, Any] | None", dict[str, str]]


def _call(
    state: Mapping[str, Any],
    document: dict[str, Any],
    handlers: Mapping[str, Handler],
    _clock: FakeClock,
    execution: Execution,
    _answers: Answers,
) -> Attempt:
    """One call of a function by its ARN."""
    function = state["Resource"].removeprefix(TEXTS["FunctionArnPrefix"] + "-").removesuffix(":live")
    execution.events += ["LambdaFunctionScheduled", "LambdaFunctionStarted"]
    try:
        result = handlers[function](json.loads(json.dumps(document)), None)
    except (Exception, Killed) as error:
        execution.events.append("LambdaFunctionFailed")
        return None, _caught(error)
    execution.events.append("LambdaFunctionSucceeded")
    return result, {}


def _wait_for_answer(
    state: Mapping[str, Any],
    document: dict[str, Any],
    handlers: Mapping[str, Handler],
    clock: FakeClock,
    execution: Execution,
    answers: Answers,
) -> Attempt:
    """One call of a function that is given a token, and the wait for whoever answers with it."""
    token = f"token-{len(execution.events)}"
    payload = {
        key.removesuffix(".$"): token if path == "$$.Task.Token" else _look_up(document, path)
        for key, path in state["Parameters"]["Payload"].items()
    }
    function = state["Parameters"]["FunctionName"].removeprefix(TEXTS["FunctionArnPrefix"] + "-").removesuffix(":live")
    execution.events += ["TaskScheduled", "TaskStarted"]
    try:
        handlers[function](json.loads(json.dumps(payload)), None)
    except (Exception, Killed) as error:
        execution.events.append("TaskFailed")
        return None, _caught(error)
    execution.events.append("TaskSubmitted")
    answer = answers(token)
    if answer is None:
        clock.advance(_look_up(document, state["TimeoutSecondsPath"]))
        execution.events.append("TaskTimedOut")
        return None, {"Error": "States.Timeout", "Cause": ""}
    if isinstance(answer, Exception):
        execution.events.append("TaskFailed")
        return None, {"Error": type(answer).__name__, "Cause": str(answer)}
    execution.events.append("TaskSucceeded")
    return answer, {}


def _caught(error: BaseException) -> dict[str, str]:
    """What Step Functions makes of an exception in a Python function."""
    if isinstance(error, Killed):
        return {
            "Error": "Lambda.Unknown",
            "Cause": "The cause could not be determined because Lambda did not return an error type.",
        }
    return {
        "Error": type(error).__name__,
        "Cause": json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}),
    }


def _holds(rule: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    if "And" in rule:
        return all(_holds(part, document) for part in rule["And"])
    if "Or" in rule:
        return any(_holds(part, document) for part in rule["Or"])
    found = _look_up(document, rule["Variable"])
    if "IsPresent" in rule:
        return (found is not None) == rule["IsPresent"]
    return bool(found == rule.get("BooleanEquals", rule.get("StringEquals")))


def _look_up(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for part in path.removeprefix("$").strip(".").split("."):
        value = (value.get(part) if isinstance(value, Mapping) else None) if part else value
    return value

"""What Step Functions refuses in a definition: structure and transitions of the Amazon States Language.

Not the whole language: the tests check the project's definition with two independent linters. This is for the
emulator's CreateStateMachine, UpdateStateMachine and ValidateStateMachineDefinition, so that a deployment meets a
refusal where AWS would refuse. Diagnostics have the fields of the API's ``ValidateStateMachineDefinitionDiagnostic``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Diagnostic = dict[str, str]

_COMMON = {"Type", "Comment", "InputPath", "OutputPath", "QueryLanguage", "Assign", "Output"}
_TRANSITION = {"Next", "End"}
_RESULT = {"Parameters", "ResultSelector", "ResultPath", "Arguments", "Retry", "Catch"}
_TIMES = {"TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"}
_LIMITS = ("MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage")
_MAP = {"Iterator", "ItemProcessor", "ItemsPath", "Items", "ItemSelector", "ItemReader", "ItemBatcher", "ResultWriter"}
_MAP |= {"Label", *_LIMITS, *(f"{name}Path" for name in _LIMITS)}
_FIELDS = {
    "Task": _COMMON | _TRANSITION | _RESULT | _TIMES | {"Resource", "Credentials"},
    "Pass": _COMMON | _TRANSITION | {"Result", "ResultPath", "Parameters"},
    "Wait": _COMMON | _TRANSITION | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
    "Choice": _COMMON | {"Choices", "Default"},
    "Succeed": _COMMON,
    "Fail": {"Type", "Comment", "QueryLanguage", "Error", "ErrorPath", "Cause", "CausePath"},
    "Parallel": _COMMON | _TRANSITION | _RESULT | {"Branches"},
    "Map": _COMMON | _TRANSITION | _RESULT | _MAP,
}
_REQUIRED = {"Task": "Resource", "Choice": "Choices", "Parallel": "Branches"}
_MACHINE = {"Comment", "StartAt", "States", "TimeoutSeconds", "Version", "QueryLanguage", "ProcessorConfig"}


def check(definition: str) -> list[Diagnostic]:
    """Every mistake found in a definition; an empty list means that it is accepted."""
    try:
        machine = json.loads(definition)
    except ValueError as error:
        return [_diagnostic("INVALID_JSON_DESCRIPTION", f"Invalid JSON: {error}", "")]
    if not isinstance(machine, dict):
        return [_diagnostic("INVALID_JSON_DESCRIPTION", "The definition is not a JSON object", "")]
    return list(_machine(machine, ""))


def _diagnostic(code: str, message: str, location: str) -> Diagnostic:
    return {"severity": "ERROR", "code": code, "message": message, "location": location or "/"}


def _schema(message: str, location: str) -> Diagnostic:
    return _diagnostic("SCHEMA_VALIDATION_FAILED", message, location)


def _machine(machine: dict[str, Any], at: str) -> Iterator[Diagnostic]:
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        yield _schema("States must be an object with at least one state", f"{at}/States")
        return
    for field in machine.keys() - _MACHINE:
        yield _schema(f"Field {field} is not supported", f"{at}/{field}")
    seconds = machine.get("TimeoutSeconds", 1)
    if not isinstance(seconds, int) or seconds < 1:
        yield _schema("TimeoutSeconds must be a positive integer", f"{at}/TimeoutSeconds")
    if machine.get("StartAt") not in states:
        yield _diagnostic("MISSING_TRANSITION_TARGET", "StartAt names no state", f"{at}/StartAt")
    targets = {machine.get("StartAt")}
    for name, state in states.items():
        location = f"{at}/States/{name}"
        if not isinstance(state, dict) or state.get("Type") not in _FIELDS:
            yield _schema("A state needs a known Type", location)
            continue
        yield from _state(state, location)
        for path, target in _targets(state):
            targets.add(target)
            if target not in states:
                yield _diagnostic("MISSING_TRANSITION_TARGET", f"Missing state: {target}", f"{location}/{path}")
    for name in states.keys() - targets:
        yield _diagnostic("MISSING_TRANSITION_TARGET", f"State {name} is not reachable", f"{at}/States/{name}")


def _targets(state: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for field in ("Next", "Default"):
        if field in state:
            yield field, state[field]
    for field in ("Choices", "Catch"):
        for index, rule in enumerate(state.get(field, [])):
            yield f"{field}[{index}]/Next", rule.get("Next")


def _state(state: dict[str, Any], at: str) -> Iterator[Diagnostic]:
    kind = state["Type"]
    for field in state.keys() - _FIELDS[kind]:
        yield _schema(f"Field {field} is not supported in a {kind} state", f"{at}/{field}")
    required = _REQUIRED.get(kind)
    if required and not state.get(required):
        yield _schema(f"A {kind} state needs {required}", at)
    if "Next" in _FIELDS[kind] and ("Next" in state) == (state.get("End") is True):
        yield _schema("A state needs either Next or End: true", at)
    if kind == "Wait" and len(state.keys() & {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"}) != 1:
        yield _schema("A Wait needs exactly one of Seconds, SecondsPath, Timestamp, TimestampPath", at)
    if kind == "Task" and not str(state.get("Resource", "arn:")).startswith("arn:"):
        yield _schema("Resource must be an ARN", f"{at}/Resource")
    if state.get("QueryLanguage") != "JSONata":
        yield from _paths(state, at)
    for field in ("Retry", "Catch"):
        yield from _error_rules(state.get(field, []), f"{at}/{field}")
    for index, branch in enumerate(state.get("Branches", [])):
        yield from _machine(branch, f"{at}/Branches[{index}]")
    if kind == "Map":
        inner = next((field for field in ("ItemProcessor", "Iterator") if field in state), None)
        if inner:
            yield from _machine(state[inner], f"{at}/{inner}")
        else:
            yield _schema("A Map state needs ItemProcessor", at)


def _paths(value: Any, at: str) -> Iterator[Diagnostic]:
    """A field that ends in Path or ``.$`` holds a reference path or an intrinsic function."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, f"{at}[{index}]")
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        if name in ("States", "ItemProcessor", "Iterator", "Branches", "Result"):
            continue
        if isinstance(item, dict | list):
            yield from _paths(item, f"{at}/{name}")
        elif name.endswith((".$", "Path")) and item is not None and not str(item).startswith(("$", "States.")):
            yield _schema(f"Value {item!r} is not a valid path", f"{at}/{name}")


def _error_rules(rules: list[dict[str, Any]], at: str) -> Iterator[Diagnostic]:
    for index, rule in enumerate(rules):
        names = rule.get("ErrorEquals")
        if not names:
            yield _schema("ErrorEquals must name at least one error", f"{at}[{index}]")
        elif "States.ALL" in names and (len(names) > 1 or index + 1 < len(rules)):
            yield _schema("States.ALL must stand alone and last", f"{at}[{index}]/ErrorEquals")
        if rule.get("BackoffRate", 1) < 1 or rule.get("IntervalSeconds", 1) < 1 or rule.get("MaxAttempts", 0) < 0:
            yield _schema("BackoffRate and IntervalSeconds are at least 1, MaxAttempts at least 0", f"{at}[{index}]")

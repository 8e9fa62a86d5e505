"""The state machine's definition as data: placeholders, structure, comparison. No AWS, no files.

The rules are those of the Amazon States Language specification, plus our own: every Task limits its time, retries and
catches; every Choice has a Default. ValidateStateMachineDefinition checks neither of ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aurora_deploy.errors import DeployError

State = dict[str, Any]

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]*)\}")
_TYPES = frozenset({"Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"})
_TERMINAL = frozenset({"Succeed", "Fail"})
_WAIT_FIELDS = ("Seconds", "SecondsPath", "Timestamp", "TimestampPath")
_NAME_LIMIT = 80


def render(text: str, values: Mapping[str, Any]) -> State:
    """Parse a definition and put `values` in the place of its `${Name}` placeholders.

    A string that is nothing but one placeholder becomes the value with its type; inside a longer string the value
    becomes text.

    Raises:
        DeployError: malformed JSON, a key that stands twice, a placeholder without a value, a value without a place.
    """
    try:
        definition = json.loads(text, object_pairs_hook=_unique)
    except ValueError as error:
        raise DeployError(f"the definition is not valid JSON: {error}") from error
    if not isinstance(definition, dict):
        raise DeployError("the definition is not a JSON object")
    used: set[str] = set()
    rendered: State = _substitute(definition, values, used)
    mistakes = [f"${{{name}}} has no value" for name in sorted(used - values.keys())]
    mistakes += [f"the value {name} is used nowhere" for name in sorted(values.keys() - used)]
    if mistakes:
        raise DeployError(f"placeholders and values do not match: {'; '.join(mistakes)}")
    return rendered


def check(definition: State) -> None:
    """Raise DeployError with every structural mistake of the definition, each with its place."""
    mistakes = [] if "TimeoutSeconds" in definition else ["the state machine has no TimeoutSeconds"]
    mistakes += _check_machine(definition, "")
    if mistakes:
        raise DeployError("the state machine's definition is wrong: " + "; ".join(mistakes))


def normal(value: Any) -> Any:
    """Return a definition with whole numbers spelled one way, so that a diff does not show 2 and 2.0 as different."""
    if isinstance(value, Mapping):
        return {key: normal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> State:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice in one object")
    return result


def _substitute(value: Any, values: Mapping[str, Any], used: set[str]) -> Any:
    if isinstance(value, dict):
        # A Comment may speak of placeholders: it stays as it is.
        return {key: item if key == "Comment" else _substitute(item, values, used) for key, item in value.items()}
    if isinstance(value, list):
        return [_substitute(item, values, used) for item in value]
    if not isinstance(value, str):
        return value
    used.update(_PLACEHOLDER.findall(value))
    if whole := _PLACEHOLDER.fullmatch(value):
        return values.get(whole[1], value)
    return _PLACEHOLDER.sub(lambda match: str(values.get(match[1], match[0])), value)


def _check_machine(machine: State, path: str) -> list[str]:
    """Check one machine: the whole, a branch of a Parallel, or the processor of a Map."""
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        return [f"{path or 'the state machine'} has no States"]
    start = machine.get("StartAt")
    mistakes = [] if start in states else [f"{path}StartAt names {start!r}, which is no state"]
    for name, state in states.items():
        place = f"{path}{name}"
        if len(name) > _NAME_LIMIT:
            mistakes.append(f"{place}: the name is longer than {_NAME_LIMIT} characters")
        mistakes += [f"{place}: {mistake}" for mistake in _check_state(state)]
        mistakes += [f"{place}: leads to {to!r}, which is no state" for to in _targets(state) if to not in states]
        for label, inner in _inner_machines(state):
            mistakes += _check_machine(inner, f"{place}.{label}.")
    reached = _reached(str(start), states)
    mistakes += [f"{path}{name}: no state leads to it" for name in states if name not in reached and start in states]
    ends = {name for name, state in states.items() if state.get("Type") in _TERMINAL or state.get("End") is True}
    stuck = [name for name in states if name in reached and not _reached(name, states) & ends]
    return mistakes + [f"{path}{name}: no way leads from it to an end" for name in stuck]


def _check_state(state: State) -> Iterator[str]:
    kind = state.get("Type")
    if kind not in _TYPES:
        yield f"the Type {kind!r} does not exist"
        return
    ways = ("Next" in state) + ("End" in state)
    if kind in _TERMINAL or kind == "Choice":
        if ways:
            yield f"a {kind} has neither Next nor End"
    elif ways != 1 or state.get("End", True) is not True:
        yield "needs either Next or End: true"
    if kind == "Choice":
        if not state.get("Choices"):
            yield "a Choice needs Choices"
        if "Default" not in state:
            yield "a Choice needs a Default"
    elif kind == "Wait" and sum(field in state for field in _WAIT_FIELDS) != 1:
        yield f"a Wait needs exactly one of {', '.join(_WAIT_FIELDS)}"
    elif kind == "Task":
        yield from _check_task(state)


def _check_task(state: State) -> Iterator[str]:
    if not isinstance(state.get("Resource"), str):
        yield "a Task needs a Resource"
    if not {"TimeoutSeconds", "TimeoutSecondsPath"} & state.keys():
        yield "a Task needs TimeoutSeconds"
    for field in ("Retry", "Catch"):
        rules = state.get(field)
        if not rules:
            yield f"a Task needs a {field}"
            continue
        for index, item in enumerate(rules):
            errors = item.get("ErrorEquals") or []
            if not errors:
                yield f"{field}[{index}] needs ErrorEquals"
            if "States.ALL" in errors and (len(errors) > 1 or index < len(rules) - 1):
                yield f"{field}[{index}]: States.ALL stands alone and last"
            if field == "Catch" and "Next" not in item:
                yield f"Catch[{index}] needs Next"
            if field == "Retry":
                yield from (f"Retry[{index}]: {mistake}" for mistake in _check_retry(item))
    if state.get("Catch") and not any("States.ALL" in item.get("ErrorEquals", []) for item in state["Catch"]):
        yield "a Task catches States.ALL"


def _check_retry(item: State) -> Iterator[str]:
    for field, least, whole in (("IntervalSeconds", 1, True), ("MaxAttempts", 0, True), ("BackoffRate", 1, False)):
        value = item.get(field, least)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or value < least or (whole and not float(value).is_integer()):
            yield f"{field} is {value!r}, but must be a {'whole ' if whole else ''}number from {least} up"


def _inner_machines(state: State) -> Iterator[tuple[str, State]]:
    for index, branch in enumerate(state.get("Branches", [])):
        yield f"Branches[{index}]", branch
    for field in ("ItemProcessor", "Iterator"):
        if field in state:
            yield field, state[field]


def _targets(state: State) -> list[str]:
    rules = [*state.get("Choices", []), *state.get("Catch", [])]
    found = [state.get("Next"), state.get("Default"), *(item.get("Next") for item in rules)]
    return [target for target in found if target is not None]


def _reached(start: str, states: Mapping[str, State]) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in states and name not in reached:
            reached.add(name)
            waiting += _targets(states[name])
    return reached

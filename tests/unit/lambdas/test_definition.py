"""The state machine's definition as a whole."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aurora_restore import errors
from tests.unit.lambdas.machine import definition

ROOT = Path(__file__).parents[3]
MACHINE = definition()
STATES: dict[str, dict[str, Any]] = MACHINE["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
WAITS_FOR_SOMEBODY = "RequestApproval"
LOOPS = {name: state for name, state in STATES.items() if state["Type"] == "Wait"}


def function_of(state: dict[str, Any]) -> str:
    resource = state["Resource"] if "Parameters" not in state else state["Parameters"]["FunctionName"]
    return str(resource).split(":function:aurora-restore-")[1].removesuffix(":live")


def kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def test_every_task_calls_the_function_of_its_own_name() -> None:
    assert all(function_of(state) == kebab(name) for name, state in TASKS.items())


def test_every_function_has_its_task_handler_and_step() -> None:
    package = ROOT / "lambdas" / "aurora_restore"
    handlers = {path.stem.replace("_", "-") for path in (package / "handlers").glob("[!_]*.py")}
    assert handlers == {function_of(state) for state in TASKS.values()} | {"sweep"}  # which no state calls
    declared = re.findall(r"^  - ([a-z-]+)$", (ROOT / "vars" / "names.yml").read_text("utf-8"), re.MULTILINE)
    assert set(declared) == handlers


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_timeout_retries_and_a_catch_that_keeps_the_document(name: str) -> None:
    state = TASKS[name]
    assert state["ResultPath"].startswith("$.")
    assert state["Retry"][-1]["ErrorEquals"][0] == "RetryableAwsError"
    assert all(rule["JitterStrategy"] == "FULL" and "MaxDelaySeconds" in rule for rule in state["Retry"])
    *named, catch = state["Catch"]
    if name == WAITS_FOR_SOMEBODY:
        assert state["TimeoutSecondsPath"] == "$.plan.approval.expires_seconds"
        assert [rule["ErrorEquals"] for rule in named] == [["States.Timeout"]]
        assert not any("States.Timeout" in rule["ErrorEquals"] for rule in state["Retry"])
    else:
        assert (state["TimeoutSeconds"], named) == (330, [])
    assert catch["ErrorEquals"] == ["States.ALL"]
    assert catch["ResultPath"] in ("$.error", "$.cleanup_error")
    ends = {"HandleFailure": "CleanupFailed", "TakeOver": "TakeOverFailed"}
    assert catch["Next"] == ends.get(name, "HandleFailure")


@pytest.mark.parametrize("name", TASKS)
def test_every_task_waits_for_a_function_that_lambda_has_to_set_up_again(name: str) -> None:
    """After some idle weeks Lambda reclaims a function's network: calls fail until it has another, a minute or two."""
    pending = "Lambda.CodeArtifactUserPendingException"
    rule = next(rule for rule in TASKS[name]["Retry"] if pending in rule["ErrorEquals"])
    assert {"Lambda.ResourceConflictException", "Lambda.ResourceNotReadyException"} <= set(rule["ErrorEquals"])
    waits = [rule["IntervalSeconds"] * rule["BackoffRate"] ** number for number in range(rule["MaxAttempts"])]
    assert sum(min(wait, rule["MaxDelaySeconds"]) for wait in waits) / 2 >= 180  # full jitter halves them on average


def test_the_first_step_to_reach_the_database_waits_for_dns_to_know_its_name() -> None:
    """A resolver keeps "no such name" for a minute; the short retries of the steps after it end in seconds."""
    rule = next(rule for rule in TASKS["ResetCredentials"]["Retry"] if "DatabaseUnreachable" in rule["ErrorEquals"])
    assert rule["ErrorEquals"] == ["DatabaseUnreachable"]
    waits = [rule["IntervalSeconds"] * rule["BackoffRate"] ** number for number in range(rule["MaxAttempts"])]
    assert sum(min(wait, rule["MaxDelaySeconds"]) for wait in waits) / 2 >= 180  # full jitter halves them on average


def test_every_error_that_a_retry_names_exists() -> None:
    named = {error for state in TASKS.values() for rule in state["Retry"] for error in rule["ErrorEquals"]}
    own = {error for error in named if "." not in error}
    assert own == {"RetryableAwsError", "DatabaseUnreachable"}
    assert all(issubclass(getattr(errors, error), errors.RestoreError) for error in own)


def test_every_error_that_the_machine_raises_itself_exists() -> None:
    results = [state["Result"] for state in STATES.values() if "Result" in state]
    assert results
    assert all(issubclass(getattr(errors, result["Error"]), errors.RestoreError) for result in results)


def test_every_choice_has_a_default() -> None:
    assert all("Default" in state for state in STATES.values() if state["Type"] == "Choice")


def test_every_wait_takes_its_seconds_from_the_step_before_it() -> None:
    for state in LOOPS.values():
        key = state["SecondsPath"].split(".")[1]
        assert state["SecondsPath"] == f"$.{key}.wait_seconds"
        assert STATES[state["Next"]]["ResultPath"] == f"$.{key}"


def test_all_states_can_be_reached() -> None:
    reached, todo = set(), [MACHINE["StartAt"]]
    while todo:
        name = todo.pop()
        if name in reached:
            continue
        reached.add(name)
        state = STATES[name]
        todo += [state[key] for key in ("Next", "Default") if key in state]
        todo += [rule["Next"] for rule in (*state.get("Choices", []), *state.get("Catch", []))]
    assert reached == set(STATES)


def test_failures_end_in_a_fail_and_never_in_a_success() -> None:
    assert {name for name, state in STATES.items() if state["Type"] == "Fail"} == {
        "RestoreFailed",
        "CleanupFailed",
        "TakeOverFailed",
    }
    assert {name for name, state in STATES.items() if state["Type"] == "Succeed"} == {
        "CleanedUp",
        "NothingToDo",
        "PlanReady",
        "RestoreSucceeded",
    }
    assert issubclass(getattr(errors, STATES["CleanupFailed"]["Error"]), errors.RestoreError)
    assert STATES["IsCleanupComplete"]["Choices"][-1]["Next"] == "RestoreFailed"

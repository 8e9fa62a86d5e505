from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from aurora_deploy.errors import DeployError
from aurora_deploy.families import asl

TASK: dict[str, Any] = {
    "Type": "Task",
    "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:work:live",
    "TimeoutSeconds": 10,
    "Retry": [{"ErrorEquals": ["Lambda.Unknown"], "IntervalSeconds": 1, "MaxAttempts": 0, "BackoffRate": 1.5}],
    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
    "Next": "Enough",
}
MACHINE: dict[str, Any] = {
    "StartAt": "Work",
    "TimeoutSeconds": 60,
    "States": {
        "Work": TASK,
        "Enough": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.done", "BooleanEquals": True, "Next": "Done"}],
            "Default": "Pause",
        },
        "Pause": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Work"},
        "Done": {"Type": "Succeed"},
        "Failed": {"Type": "Fail"},
    },
}

Spoil = Callable[[dict[str, Any]], Any]


def task(machine: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = machine["States"]["Work"]
    return found


def test_a_placeholder_alone_takes_the_type_of_its_value_and_inside_text_becomes_text() -> None:
    text = '{"TimeoutSeconds": "${Seconds}", "Cause": "after ${Seconds} s in ${Region}", "Comment": "${Seconds}"}'
    assert asl.render(text, {"Seconds": 60, "Region": "eu-west-1"}) == {
        "TimeoutSeconds": 60,
        "Cause": "after 60 s in eu-west-1",
        "Comment": "${Seconds}",
    }


def test_placeholders_without_value_and_values_without_place_are_all_named() -> None:
    with pytest.raises(DeployError) as caught:
        asl.render('{"A": "${One}", "B": "x${Two}"}', {"Three": 3, "Four": 4})
    for part in ("${One} has no value", "${Two} has no value", "value Four is used", "value Three is used"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"A": ', "not valid JSON"),
        ("[]", "not a JSON object"),
        ('{"States": {"A": 1, "A": 2}}', "the key 'A' stands twice"),
    ],
)
def test_what_is_no_definition_is_refused(text: str, problem: str) -> None:
    with pytest.raises(DeployError, match=problem):
        asl.render(text, {})


def test_a_right_definition_passes() -> None:
    asl.check(MACHINE)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda m: m.pop("TimeoutSeconds"), "the state machine has no TimeoutSeconds"),
        (lambda m: m.pop("States"), "has no States"),
        (lambda m: m.update(StartAt="Wrok"), "StartAt names 'Wrok'"),
        (lambda m: m["States"]["Pause"].update(Next="Wrok"), "Pause: leads to 'Wrok'"),
        (lambda m: m["States"]["Enough"].pop("Default"), "Enough: a Choice needs a Default"),
        (lambda m: m["States"]["Enough"].update(Choices=[]), "Enough: a Choice needs Choices"),
        (lambda m: m["States"]["Enough"].update(Default="Done"), "Pause: no state leads to it"),
        (lambda m: m["States"]["Pause"].update(Seconds=1), "Pause: a Wait needs exactly one of"),
        (lambda m: m["States"]["Pause"].pop("Next"), "Pause: needs either Next or End: true"),
        (lambda m: m["States"]["Done"].update(Next="Work"), "Done: a Succeed has neither Next nor End"),
        (lambda m: m["States"]["Done"].update(Type="Success"), "Done: the Type 'Success' does not exist"),
        (lambda m: m["States"].update({"x" * 81: {"Type": "Fail"}}), "longer than 80 characters"),
        (lambda m: task(m).pop("Resource"), "Work: a Task needs a Resource"),
        (lambda m: task(m).pop("TimeoutSeconds"), "Work: a Task needs TimeoutSeconds"),
        (lambda m: task(m).pop("Retry"), "Work: a Task needs a Retry"),
        (lambda m: task(m).pop("Catch"), "Work: a Task needs a Catch"),
        (lambda m: task(m)["Catch"][0].update(ErrorEquals=["A"]), "Work: a Task catches States.ALL"),
        (lambda m: task(m)["Catch"][0].pop("Next"), r"Work: Catch\[0\] needs Next"),
        (
            lambda m: task(m)["Catch"].append({"ErrorEquals": ["A"], "Next": "Failed"}),
            "States.ALL stands alone and last",
        ),
        (lambda m: task(m)["Retry"][0].pop("ErrorEquals"), r"Work: Retry\[0\] needs ErrorEquals"),
        (lambda m: task(m)["Retry"][0].update(BackoffRate=0.5), "BackoffRate is 0.5"),
        (lambda m: task(m)["Retry"][0].update(MaxAttempts="3"), "MaxAttempts is '3'"),
        (lambda m: task(m)["Retry"][0].update(IntervalSeconds=1.5), "IntervalSeconds is 1.5"),
        (lambda m: m["States"]["Enough"].update(Choices=[{"Next": "Pause"}]), "Pause: no way leads from it to an end"),
    ],
)
def test_every_mistake_is_found_and_placed(spoil: Spoil, problem: str) -> None:
    machine = copy.deepcopy(MACHINE)
    if "no way leads" in problem:
        task(machine)["Catch"][0]["Next"] = "Pause"
    spoil(machine)
    with pytest.raises(DeployError, match=problem):
        asl.check(machine)


def test_branches_are_checked_like_machines() -> None:
    machine = copy.deepcopy(MACHINE)
    machine["States"]["Pause"] = {"Type": "Parallel", "Branches": [{"StartAt": "A", "States": {}}], "Next": "Work"}
    with pytest.raises(DeployError, match=r"Pause\.Branches\[0\]\. has no States"):
        asl.check(machine)


def test_all_mistakes_are_reported_together() -> None:
    machine = copy.deepcopy(MACHINE)
    task(machine).pop("Retry")
    machine["States"]["Enough"].pop("Default")
    with pytest.raises(DeployError, match=r"needs a Retry.*needs a Default"):
        asl.check(machine)


def test_spelling_that_means_nothing_is_made_one() -> None:
    one, other = json.loads('{"a": 2.0, "b": [1.5, true]}'), json.loads('{"b": [1.5, true], "a": 2}')
    assert json.dumps(asl.normal(one), sort_keys=True) == json.dumps(asl.normal(other), sort_keys=True)
    assert asl.normal(1.5) == 1.5

"""What Step Functions would not accept is refused before it is stored; the pipeline's own definition is accepted."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator import asl

from .conftest import ROLE, Aws, name

GOOD: dict[str, Any] = {
    "StartAt": "Choose",
    "States": {
        "Choose": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "Work"}],
            "Default": "Done",
        },
        "Work": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f",
            "Retry": [{"ErrorEquals": ["States.ALL"], "BackoffRate": 2}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done", "ResultPath": "$.error"}],
            "Next": "Pause",
        },
        "Pause": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Done"},
        "Done": {"Type": "Succeed"},
    },
}


def broken(change: Callable[[dict[str, Any]], object]) -> str:
    """GOOD after a change to its states."""
    definition = copy.deepcopy(GOOD)
    change(definition["States"])
    return json.dumps(definition)


MISTAKES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a target that does not exist": lambda states: states["Work"].update(Next="Nowhere"),
    "a default that does not exist": lambda states: states["Choose"].update(Default="Nowhere"),
    "a catcher to nowhere": lambda states: states["Work"]["Catch"][0].update(Next="Nowhere"),
    "a state that nothing leads to": lambda states: states.update(Island={"Type": "Succeed"}),
    "neither Next nor End": lambda states: states["Pause"].pop("Next"),
    "an unknown type": lambda states: states["Pause"].update(Type="Sleep"),
    "a misspelt field": lambda states: states["Work"].update(TimeoutSecond=3),
    "no resource": lambda states: states["Work"].pop("Resource"),
    "a placeholder left over": lambda states: states["Work"].update(Resource="${Arn}"),
    "two kinds of waiting": lambda states: states["Pause"].update(Seconds=3),
    "a path that is none": lambda states: states["Pause"].update(SecondsPath="seconds"),
    "States.ALL before another retrier": lambda states: states["Work"]["Retry"].append({"ErrorEquals": ["Late"]}),
    "a retrier for no error": lambda states: states["Work"]["Retry"][0].update(ErrorEquals=[]),
    "a back-off that shrinks": lambda states: states["Work"]["Retry"][0].update(BackoffRate=0.5),
}


def test_a_good_definition_is_accepted() -> None:
    assert asl.check(json.dumps(GOOD)) == []


@pytest.mark.parametrize("change", MISTAKES.values(), ids=MISTAKES.keys())
def test_each_mistake_is_found(change: Callable[[dict[str, Any]], object]) -> None:
    assert asl.check(broken(change))


def test_the_pipelines_definition_is_accepted(repository: Path) -> None:
    text = (repository / "state_machine" / "aurora_restore.asl.json").read_text(encoding="utf-8")
    numbers = re.sub(r'"\$\{\w*(?:Seconds|Retries|Rate)\}"', "5", text)
    assert asl.check(re.sub(r"\$\{\w+\}", "arn:aws:lambda", numbers)) == []


def test_a_bad_definition_is_not_stored(aws: Aws) -> None:
    states = aws.client("stepfunctions")
    machine = states.create_state_machine(name=name("machine"), definition=json.dumps(GOOD), roleArn=ROLE)
    bad = broken(MISTAKES["a target that does not exist"])
    for call in (
        lambda: states.create_state_machine(name=name("machine"), definition=bad, roleArn=ROLE),
        lambda: states.update_state_machine(stateMachineArn=machine["stateMachineArn"], definition=bad),
    ):
        with pytest.raises(ClientError, match="Missing state: Nowhere") as refused:
            call()
        assert refused.value.response["Error"]["Code"] == "InvalidDefinition"
    kept = states.describe_state_machine(stateMachineArn=machine["stateMachineArn"])
    assert json.loads(kept["definition"]) == GOOD


def test_validation_lists_every_mistake(aws: Aws) -> None:
    states = aws.client("stepfunctions")
    assert states.validate_state_machine_definition(definition=json.dumps(GOOD))["result"] == "OK"
    bad = broken(lambda all_states: (all_states["Work"].update(Next="X"), all_states["Pause"].pop("Next")))
    answer = states.validate_state_machine_definition(definition=bad)
    assert answer["result"] == "FAIL"
    assert {"/States/Work/Next", "/States/Pause"} <= {found["location"] for found in answer["diagnostics"]}

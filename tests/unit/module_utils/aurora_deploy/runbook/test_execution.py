from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from aurora_deploy.errors import DeployError
from aurora_deploy.runbook.execution import StateMachine, start

from .fakes import MACHINE, FakeAws, refused

REQUEST = {"operation_id": "op-1", "target": {"cluster": "orders-staging"}}
STATE_MACHINE = StateMachine(MACHINE)


def test_an_execution_is_started_through_the_alias_under_the_operations_name() -> None:
    aws = FakeAws()
    assert start(aws, STATE_MACHINE, REQUEST) is True  # type: ignore[arg-type]
    (started,) = aws.started
    assert started["name"] == "op-1"
    assert started["stateMachineArn"] == f"{MACHINE}:live"
    assert json.loads(started["input"]) == REQUEST


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED", "FAILED"])
def test_a_second_start_with_the_same_request_starts_nothing(status: str) -> None:
    aws = FakeAws()
    aws.executions["op-1"] = {"status": status, "input": json.dumps(REQUEST)}
    assert start(aws, STATE_MACHINE, REQUEST) is False  # type: ignore[arg-type]
    assert aws.started == []


def test_an_operation_id_of_another_request_is_refused() -> None:
    aws = FakeAws()
    aws.executions["op-1"] = {"status": "RUNNING", "input": "{}"}
    with pytest.raises(DeployError, match="another request"):
        start(aws, STATE_MACHINE, REQUEST)  # type: ignore[arg-type]


def test_losing_the_race_to_the_same_request_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = FakeAws()

    def lose(**_: object) -> None:
        aws.executions["op-1"] = {"status": "RUNNING", "input": json.dumps(REQUEST)}
        raise refused("StartExecution", "ExecutionAlreadyExists")

    monkeypatch.setattr(aws, "start_execution", lose)
    assert start(aws, STATE_MACHINE, REQUEST) is False  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "expected"), [("StateMachineDoesNotExist", DeployError), ("AccessDeniedException", ClientError)]
)
def test_a_refused_start_is_an_error(monkeypatch: pytest.MonkeyPatch, code: str, expected: type[Exception]) -> None:
    aws = FakeAws()

    def refuse(**_: object) -> None:
        raise refused("StartExecution", code)

    monkeypatch.setattr(aws, "start_execution", refuse)
    with pytest.raises(expected):
        start(aws, STATE_MACHINE, REQUEST)  # type: ignore[arg-type]

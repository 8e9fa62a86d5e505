"""A Task that waits for somebody: answered, failed, timed out, or its function failed to ask."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import Aws, task, wait_for

ASK = """
import pathlib

def handler(event, context):
    pathlib.Path(event["file"]).write_text(event["token"])
"""


def callback(function: str, **more: Any) -> dict[str, Any]:
    payload = {"token.$": "$$.Task.Token", "fail.$": "$.fail"}
    return {
        **task(function),
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": function, "Payload": payload},
        **more,
    }


def test_a_function_that_fails_to_ask_fails_the_task(aws: Aws, function: str) -> None:
    ended = aws.run(aws.machine({"Ask": callback(function, TimeoutSeconds=60)}), {"fail": True})
    assert (ended["status"], ended["error"]) == ("FAILED", "CopyFailed")


def test_nobody_answers_within_the_time_of_the_document(aws: Aws, function: str) -> None:
    started = time.monotonic()
    machine = aws.machine({"Ask": callback(function, TimeoutSecondsPath="$.seconds")})
    ended = aws.run(machine, {"fail": False, "seconds": 1})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")
    assert 1 <= time.monotonic() - started < 10


@pytest.mark.parametrize("success", [True, False])
def test_the_answer_is_the_tasks_result_or_error(aws: Aws, tmp_path: Path, success: bool) -> None:
    states, file = aws.client("stepfunctions"), tmp_path / "token"
    ask = callback(aws.function(ASK), TimeoutSeconds=60)
    ask["Parameters"]["Payload"]["file.$"] = "$.file"
    machine = aws.machine({"Ask": ask})
    given = json.dumps({"fail": False, "file": str(file)})
    execution = states.start_execution(stateMachineArn=machine, input=given)["executionArn"]
    wait_for(lambda: file.exists() and file.read_text())
    if success:
        states.send_task_success(taskToken=file.read_text(), output='{"yes": 1}')
        assert json.loads(aws.ended(execution)["output"]) == {"yes": 1}
    else:
        states.send_task_failure(taskToken=file.read_text(), error="Rejected", cause="no")
        ended = aws.ended(execution)
        assert (ended["error"], ended["cause"]) == ("Rejected", "no")

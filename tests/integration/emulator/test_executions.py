"""Executions start, time out, fail and are described as in Step Functions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ACCOUNT, REGION, Aws, name, task, wait_for

DONE = {"Type": "Pass", "End": True}


def code_of(call: Callable[[], Any]) -> str:
    """The error code a call answers with."""
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


def test_an_execution_over_its_time_ends_timed_out(aws: Aws) -> None:
    machine = aws.machine({"Long": {"Type": "Wait", "Seconds": 300, "End": True}}, TimeoutSeconds=1)
    ended = aws.run(machine)
    assert ended["status"] == "TIMED_OUT"
    history = aws.client("stepfunctions").get_execution_history(executionArn=ended["executionArn"])
    assert history["events"][-1]["type"] == "ExecutionTimedOut"


def test_a_task_over_its_time_fails_with_states_timeout(aws: Aws, function: str) -> None:
    caught = {"ErrorEquals": ["States.Timeout"], "Next": "Done", "ResultPath": "$.error"}
    machine = aws.machine({"Slow": task(function, TimeoutSeconds=1, Catch=[caught]), "Done": DONE})
    assert json.loads(aws.run(machine, {"sleep": 1.5})["output"])["error"]["Error"] == "States.Timeout"


@pytest.mark.parametrize(("size", "status"), [(262_142, "SUCCEEDED"), (262_143, "FAILED")])
def test_a_result_may_have_262144_bytes_with_its_quotes(aws: Aws, function: str, size: int, status: str) -> None:
    assert aws.run(aws.machine({"Big": task(function)}), {"size": size})["status"] == status


def test_only_its_own_name_catches_a_result_that_is_too_long(aws: Aws, function: str) -> None:
    def outcome(error: str) -> str:
        states = {"Big": task(function, Catch=[{"ErrorEquals": [error], "Next": "Done"}]), "Done": DONE}
        return str(aws.run(aws.machine(states), {"size": 300_000})["status"])

    assert outcome("States.ALL") == "FAILED"
    assert outcome("States.DataLimitExceeded") == "SUCCEEDED"


def test_a_failed_execution_has_error_and_cause_from_the_state_and_no_output(aws: Aws) -> None:
    states = {"Stop": {"Type": "Fail", "ErrorPath": "$.failure.error", "CausePath": "$.failure.cause"}}
    ended = aws.run(aws.machine(states), {"failure": {"error": "NoSuchSnapshot", "cause": "It is gone"}})
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "NoSuchSnapshot", "It is gone")
    assert "output" not in ended


def test_starting_the_same_again_while_it_runs_gives_the_same_execution(aws: Aws) -> None:
    states = aws.client("stepfunctions")
    machine = aws.machine({"Pause": {"Type": "Wait", "SecondsPath": "$.seconds", "End": True}})
    request = {"stateMachineArn": machine, "name": name("execution"), "input": '{"seconds": 100}'}
    first = states.start_execution(**request)
    assert states.start_execution(**request)["executionArn"] == first["executionArn"]
    assert code_of(lambda: states.start_execution(**{**request, "input": "{}"})) == "ExecutionAlreadyExists"
    aws.ended(first["executionArn"])
    assert code_of(lambda: states.start_execution(**request)) == "ExecutionAlreadyExists"


def test_an_event_tells_of_an_execution_that_timed_out(aws: Aws) -> None:
    events, sqs = aws.client("events"), aws.client("sqs")
    queue_name, rule = name("queue"), name("rule")
    queue = sqs.create_queue(QueueName=queue_name)["QueueUrl"]
    machine = aws.machine({"Long": {"Type": "Wait", "Seconds": 300, "End": True}}, TimeoutSeconds=1)
    pattern = {"source": ["aws.states"], "detail": {"status": ["TIMED_OUT"], "stateMachineArn": [machine]}}
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue_name}"}])
    ended = aws.run(machine)
    (message,) = wait_for(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    assert json.loads(message["Body"])["detail"]["executionArn"] == ended["executionArn"]


def test_input_must_be_json(aws: Aws) -> None:
    states = aws.client("stepfunctions")
    machine = aws.machine({"Done": DONE})
    assert code_of(lambda: states.start_execution(stateMachineArn=machine, input="{")) == "InvalidExecutionInput"


def test_an_alias_runs_its_version_whatever_was_deployed_since(aws: Aws) -> None:
    states = aws.client("stepfunctions")
    machine = aws.machine({"Answer": {"Type": "Pass", "Result": "old", "End": True}})
    version = states.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    alias = states.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}]
    )["stateMachineAliasArn"]
    new = {"StartAt": "Answer", "States": {"Answer": {"Type": "Pass", "Result": "new", "End": True}}}
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(new))
    ended = aws.run(alias)
    assert ended["output"] == '"old"'
    assert (ended["stateMachineAliasArn"], ended["stateMachineVersionArn"]) == (alias, version)
    assert aws.run(machine)["output"] == '"new"'


def test_the_context_object_describes_execution_and_state(aws: Aws) -> None:
    paths = [f"Execution.{field}" for field in ("Id", "Name", "StartTime", "Input")]
    paths += ["State.Name", "State.EnteredTime"]
    shown = {f"{path.replace('.', '')}.$": f"$$.{path}" for path in paths}
    ended = aws.run(aws.machine({"Show": {"Type": "Pass", "Parameters": shown, "End": True}}), {"word": "sesame"})
    output = json.loads(ended["output"])
    assert (output["ExecutionId"], output["ExecutionName"]) == (ended["executionArn"], ended["name"])
    assert (output["ExecutionInput"], output["StateName"]) == ({"word": "sesame"}, "Show")
    assert output["ExecutionStartTime"] <= output["StateEnteredTime"]


def test_the_history_shows_each_state_with_its_output(aws: Aws, function: str) -> None:
    work = task(function, ResultPath=None, Next="Done", End=False)
    ended = aws.run(aws.machine({"Work": work, "Done": DONE}), {"a": 1})
    events = aws.client("stepfunctions").get_execution_history(executionArn=ended["executionArn"])["events"]
    seen = [
        (event["type"], event["stateExitedEventDetails"]["name"], event["stateExitedEventDetails"]["output"])
        for event in events
        if "stateExitedEventDetails" in event
    ]
    assert seen == [("TaskStateExited", "Work", '{"a": 1}'), ("PassStateExited", "Done", '{"a": 1}')]


def test_the_scale_of_waits_changes_while_it_runs(aws: Aws) -> None:
    machine = aws.machine({"Pause": {"Type": "Wait", "SecondsPath": "$.seconds", "End": True}})
    try:
        aws.emulator.request("POST", "/_emulator/config", {"wait_scale": 0})
        assert aws.run(machine, {"seconds": 100_000})["status"] == "SUCCEEDED"
    finally:
        aws.emulator.request("POST", "/_emulator/config", {"wait_scale": 0.01})

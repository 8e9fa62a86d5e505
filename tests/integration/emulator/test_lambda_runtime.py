"""Functions run as on AWS: error types, time-outs, environment, versions, logs."""

from __future__ import annotations

import json

from emulator.launcher import Emulator

from .conftest import HANDLER, Aws, package, wait_for


def test_an_exception_keeps_its_class_name(aws: Aws, function: str) -> None:
    error, payload = aws.invoke(function, {"fail": True})
    assert error == "Unhandled"
    assert (payload["errorType"], payload["errorMessage"]) == ("CopyFailed", "the copy failed")
    assert "in handler" in payload["stackTrace"][0]


def test_a_function_over_its_time_is_ended_and_the_next_call_works(aws: Aws) -> None:
    slow = aws.function(Timeout=1)
    error, payload = aws.invoke(slow, {"sleep": 5})
    assert (error, payload["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert aws.invoke(slow, {})[0] is None


def test_a_runtime_that_exits_is_reported_and_replaced(aws: Aws, function: str) -> None:
    assert aws.invoke(function, {"exit": True})[1]["errorType"] == "Runtime.ExitError"
    assert aws.invoke(function, {})[0] is None


def test_the_environment_is_the_functions_own(aws: Aws, emulator: Emulator) -> None:
    function = aws.function(Environment={"Variables": {"OWN": "value"}})
    environment = aws.invoke(function, {})[1]["environment"]
    assert environment["OWN"] == "value"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == function
    assert environment["AWS_ENDPOINT_URL"] == emulator.endpoint_url
    leaked = {name for name in environment if name.startswith(("PYTHONPATH", "MINISTACK", "GATEWAY", "SFN_", "HOME"))}
    assert not leaked


def test_a_warm_environment_is_used_again(aws: Aws) -> None:
    function = aws.function()
    assert [aws.invoke(function, {})[1]["calls"] for _ in range(2)] == [1, 2]


def test_new_code_and_new_settings_reach_the_next_call_but_not_a_published_version(aws: Aws) -> None:
    client = aws.client("lambda")
    function = aws.function(Environment={"Variables": {"OWN": "old"}})
    version = client.publish_version(FunctionName=function)["Version"]
    client.create_alias(FunctionName=function, Name="live", FunctionVersion=version)
    aws.invoke(function, {})
    client.update_function_configuration(FunctionName=function, Environment={"Variables": {"OWN": "new"}})
    new_code = HANDLER.replace('"calls": calls', '"calls": -1')
    client.update_function_code(FunctionName=function, ZipFile=package(new_code))
    latest, live = aws.invoke(function, {})[1], aws.invoke(function, {}, Qualifier="live")[1]
    assert (latest["environment"]["OWN"], latest["calls"], latest["version"]) == ("new", -1, "$LATEST")
    assert (live["environment"]["OWN"], live["calls"], live["version"]) == ("old", 1, version)
    assert live["arn"].endswith(f":{function}:live")


def test_what_a_function_prints_is_in_its_log_group(aws: Aws) -> None:
    group = "/conformance/own-group"
    function = aws.function(LoggingConfig={"LogGroup": group})
    aws.invoke(function, {"word": "sesame"})
    logs = aws.client("logs")
    events = wait_for(lambda: logs.filter_log_events(logGroupName=group)["events"])
    assert any("handled sesame" in event["message"] for event in events)


def test_a_function_calls_the_emulator_as_its_role(strict_aws: Aws) -> None:
    code = """
import boto3

def handler(event, context):
    boto3.client("dynamodb").list_tables()
    return boto3.client("sts").get_caller_identity()["Arn"]
"""
    statement = {"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"}
    allowed = strict_aws.function(code, Timeout=10, Role=strict_aws.role("may-list", statement))
    refused = strict_aws.function(code, Timeout=10, Role=strict_aws.role("may-nothing"))
    assert ":assumed-role/may-list/" in strict_aws.invoke(allowed, {})[1]
    assert "AccessDeniedException" in json.dumps(strict_aws.invoke(refused, {})[1])

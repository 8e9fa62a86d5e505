"""The emulator's own API: counted calls, injected faults, latency."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.launcher import Emulator, EmulatorError

from .conftest import Aws, task

CALLS: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "dynamodb": ("dynamodb", "ListTables", lambda client: client.list_tables()),
    "rds": ("rds", "DescribeDBClusters", lambda client: client.describe_db_clusters()),
    "ec2": ("ec2", "DescribeVpcs", lambda client: client.describe_vpcs()),
    "lambda": ("lambda", "ListFunctions", lambda client: client.list_functions()),
    "cloudwatch": ("monitoring", "DescribeAlarms", lambda client: client.describe_alarms()),
    "stepfunctions": ("states", "ListStateMachines", lambda client: client.list_state_machines()),
}


@pytest.fixture(autouse=True)
def calm(emulator: Emulator) -> Iterator[None]:
    """No faults, latency or counts are left from or for another test."""
    emulator.request("DELETE", "/_emulator/calls")
    yield
    emulator.request("DELETE", "/_emulator/faults")
    emulator.request("POST", "/_emulator/latency", {"ms": 0})


@pytest.mark.parametrize("client_name", CALLS)
def test_a_fault_is_answered_as_often_as_asked_in_the_services_own_protocol(aws: Aws, client_name: str) -> None:
    service, action, call = CALLS[client_name]
    client = aws.client(client_name)
    fault = {"service": service, "action": action, "error_code": "PlannedFailure", "count": 2}
    aws.emulator.request("POST", "/_emulator/faults", fault)
    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            call(client)
        assert refused.value.response["Error"]["Code"] == "PlannedFailure"
    call(client)
    assert aws.emulator.request("GET", "/_emulator/calls") == {f"{service}.{action}": 3}


def test_a_server_error_is_retried_by_the_sdk(aws: Aws) -> None:
    fault = {"service": "dynamodb", "action": "ListTables", "error_code": "InternalServerError", "status": 500}
    aws.emulator.request("POST", "/_emulator/faults", fault)
    aws.client("dynamodb").list_tables()
    assert aws.emulator.request("GET", "/_emulator/calls") == {"dynamodb.ListTables": 2}


def test_a_fault_of_invoke_reaches_a_task(aws: Aws, function: str) -> None:
    fault = {"service": "lambda", "action": "InvokeFunction", "error_code": "ServiceException"}
    aws.emulator.request("POST", "/_emulator/faults", fault)
    assert aws.run(aws.machine({"Work": task(function)}))["error"] == "Lambda.ServiceException"


def test_cleared_faults_are_gone(aws: Aws) -> None:
    aws.emulator.request("POST", "/_emulator/faults", {"service": "ec2", "action": "DescribeVpcs", "error_code": "X"})
    aws.emulator.request("DELETE", "/_emulator/faults")
    aws.client("ec2").describe_vpcs()


def test_latency_delays_every_aws_call(aws: Aws) -> None:
    client = aws.client("ec2")
    aws.emulator.request("POST", "/_emulator/latency", {"ms": 200})
    started = time.monotonic()
    client.describe_vpcs()
    assert time.monotonic() - started >= 0.2


REFUSED = [("faults", {"service": "ec2"}), ("config", {"wait": 1}), ("config", {"wait_scale": -1}), ("latency", {})]


@pytest.mark.parametrize(("path", "body"), [*REFUSED, ("unknown", {})])
def test_a_request_it_does_not_understand_is_refused(emulator: Emulator, path: str, body: dict[str, Any]) -> None:
    with pytest.raises(EmulatorError, match=r"40[04]"):
        emulator.request("POST", f"/_emulator/{path}", body)

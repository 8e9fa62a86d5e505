"""One started emulator for all conformance tests, and short ways to deploy a function and run a state machine on it.

The emulator's interpreter is that of `.venv/emulator`, or the one that EMULATOR_PYTHON names.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from emulator.launcher import Emulator

ACCOUNT = "000000000000"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/conformance"
_ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": _ROOT, "Action": "sts:AssumeRole"}],
}
_numbers = itertools.count(1)

HANDLER = """
import os, time

class CopyFailed(Exception):
    pass

class NotYet(Exception):
    pass

calls = 0

def handler(event, context):
    global calls
    calls += 1
    if event.get("fail"):
        raise CopyFailed("the copy failed")
    if calls <= event.get("not_before", 0):
        raise NotYet(str(calls))
    time.sleep(event.get("sleep", 0))
    if event.get("exit"):
        os._exit(3)
    if event.get("size"):
        return "x" * event["size"]
    print("handled", event.get("word"))
    return {
        "calls": calls,
        "environment": dict(os.environ),
        "arn": context.invoked_function_arn,
        "version": context.function_version,
    }
"""


def name(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{next(_numbers)}"


def package(code: str) -> bytes:
    """A deployment package whose only module is `app`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", code)
    return buffer.getvalue()


@dataclasses.dataclass
class Aws:
    """Clients of one emulator, as the account's root unless credentials say otherwise."""

    emulator: Emulator

    def client(self, service: str, **credentials: str) -> Any:
        """A boto3 client."""
        environment = self.emulator.env
        return boto3.client(
            service,
            endpoint_url=self.emulator.endpoint_url,
            region_name=REGION,
            aws_access_key_id=credentials.get("AccessKeyId", environment["AWS_ACCESS_KEY_ID"]),
            aws_secret_access_key=credentials.get("SecretAccessKey", environment["AWS_SECRET_ACCESS_KEY"]),
            aws_session_token=credentials.get("SessionToken"),
        )

    def role(self, role_name: str = "conformance", *statements: dict[str, Any]) -> str:
        """Make a role with an inline policy; returns its ARN."""
        iam = self.client("iam")
        arn = iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        if statements:
            policy = {"Version": "2012-10-17", "Statement": statements}
            iam.put_role_policy(RoleName=role_name, PolicyName="inline", PolicyDocument=json.dumps(policy))
        return str(arn)

    def function(self, code: str = HANDLER, **settings: Any) -> str:
        """Deploy a function and wait until it is active; returns its name."""
        client = self.client("lambda")
        function = name("function")
        client.create_function(
            FunctionName=function,
            **{"Runtime": "python3.13", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": package(code)}}
            | settings,
        )
        client.get_waiter("function_active_v2").wait(FunctionName=function, WaiterConfig={"Delay": 0.05})
        return function

    def invoke(self, function: str, event: dict[str, Any], **options: Any) -> tuple[str | None, Any]:
        """Call a function; returns the function error, if any, and the payload."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event), **options)
        return answer.get("FunctionError"), json.loads(answer["Payload"].read())

    def machine(self, states: dict[str, Any], **top: Any) -> str:
        """Create a state machine that starts at its first state; returns its ARN."""
        definition = {"StartAt": next(iter(states)), "States": states, **top}
        answer = self.client("stepfunctions").create_state_machine(
            name=name("machine"), definition=json.dumps(definition), roleArn=ROLE
        )
        return str(answer["stateMachineArn"])

    def run(self, machine: str, event: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """Start an execution and wait for its end; returns DescribeExecution's answer."""
        states = self.client("stepfunctions")
        arn = states.start_execution(stateMachineArn=machine, input=json.dumps(event or {}), **options)["executionArn"]
        return self.ended(arn)

    def ended(self, execution: str) -> dict[str, Any]:
        """Wait for the end of an execution; returns DescribeExecution's answer."""
        states = self.client("stepfunctions")
        answer = wait_for(lambda: _unless_running(states.describe_execution(executionArn=execution)))
        assert isinstance(answer, dict)
        return answer


def _unless_running(answer: dict[str, Any]) -> dict[str, Any] | None:
    return None if answer["status"] == "RUNNING" else answer


def wait_for(probe: Callable[[], Any], seconds: float = 10) -> Any:
    """Call `probe` until it gives something true; returns that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := probe():
            return found
        time.sleep(0.02)
    pytest.fail(f"nothing came within {seconds} s")


def task(function: str, **fields: Any) -> dict[str, Any]:
    """A Task state that calls a function and ends, unless `fields` say otherwise."""
    resource = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    return {"Type": "Task", "Resource": resource, "End": True, **fields}


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator with all mends whose waits take a hundredth of their time."""
    with Emulator(tmp_path_factory.mktemp("emulator") / "state", wait_scale=0.01, aurora_scale=0) as started:
        yield started


@pytest.fixture(scope="session")
def aws(emulator: Emulator) -> Aws:
    """Clients of `emulator`, with the role ROLE."""
    clients = Aws(emulator)
    clients.role()
    return clients


@pytest.fixture(scope="session")
def function(aws: Aws) -> str:
    """A deployed HANDLER."""
    return aws.function(Timeout=2)


@pytest.fixture(scope="session")
def strict_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Clients of an emulator that evaluates IAM policies, with the role ROLE, which may do nothing."""
    state_dir = tmp_path_factory.mktemp("strict") / "state"
    with Emulator(state_dir, wait_scale=0.01, aurora_scale=0, enforce_iam=True) as started:
        clients = Aws(started)
        clients.role()
        yield clients

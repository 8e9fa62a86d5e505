from __future__ import annotations

import pytest
from botocore import exceptions as botocore_errors
from botocore.exceptions import ClientError

from aurora_deploy.errors import explain, is_code, is_surprise, is_transient


def client_error(code: str, operation: str = "CreateTable") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "not today."}}, operation)


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (client_error("AccessDeniedException"), "allow the caller this action"),
        (client_error("ExpiredTokenException"), "renew the credentials"),
        (client_error("UnrecognizedClientException"), "check the access key"),
        (client_error("ThrottlingException"), "run again"),
        (client_error("LimitExceededException"), "raise the quota"),
        (client_error("VpcLimitExceeded", "CreateVpc"), "raise the quota"),
        (client_error("RequestLimitExceeded"), "run again"),
        (client_error("DependencyViolation", "DeleteSecurityGroup"), "remove what still uses it"),
        (client_error("StateMachineDoesNotExist"), "deploy first"),
        (client_error("ExecutionDoesNotExist"), "playbooks/status.yml"),
        (botocore_errors.NoCredentialsError(), "aws_profile"),
        (botocore_errors.ProfileNotFound(profile="x"), "aws_profile"),
        (botocore_errors.NoRegionError(), "region"),
        (botocore_errors.UnauthorizedSSOTokenError(), "renew the credentials"),
        (botocore_errors.EndpointConnectionError(endpoint_url="http://x"), "AWS_ENDPOINT_URL"),
        (botocore_errors.ConnectionClosedError(endpoint_url="http://x"), "run again"),
        (botocore_errors.ReadTimeoutError(endpoint_url="http://x"), "run again"),
        (botocore_errors.WaiterError(name="Ready", reason="Max attempts exceeded", last_response={}), "run again"),
    ],
)
def test_every_failure_names_the_resource_and_its_fix(error: Exception, fix: str) -> None:
    text = explain(error, "table orders")
    assert text.startswith("table orders: ")
    assert fix in text.split(" Fix: ")[1]


def test_an_answer_of_aws_is_told_with_its_action_and_code() -> None:
    assert explain(client_error("ValidationException"), "table orders") == (
        "table orders: CreateTable failed with ValidationException: not today."
    )


def test_is_code_tells_one_answer_from_another_and_from_no_answer() -> None:
    assert is_code(client_error("NotFound"), "Other", "NotFound")
    assert not is_code(client_error("NotFound"), "Other")
    assert not is_code(botocore_errors.ConnectionClosedError(endpoint_url="http://x"), "NotFound")


@pytest.mark.parametrize(
    ("code", "surprise"),
    [
        ("EntityAlreadyExists", True),
        ("ResourceExistsException", True),
        ("ResourceNotFoundException", True),
        ("InvalidGroup.NotFound", True),
        ("InvalidPermission.Duplicate", True),
        ("NoSuchEntity", True),
        ("ResourceConflictException", True),
        ("ResourceInUseException", True),
        ("ValidationException", False),
        ("AccessDenied", False),
    ],
)
def test_a_state_other_than_the_one_read_is_a_surprise(code: str, surprise: bool) -> None:
    assert is_surprise(client_error(code)) is surprise


def test_lost_connections_and_throttling_are_transient() -> None:
    assert is_transient(botocore_errors.ConnectionClosedError(endpoint_url="http://x"))
    assert is_transient(client_error("ThrottlingException"))
    assert is_transient(client_error("RequestLimitExceeded"))
    assert not is_transient(client_error("AccessDenied"))
    assert not is_transient(botocore_errors.NoCredentialsError())
    assert not is_surprise(botocore_errors.ConnectionClosedError(endpoint_url="http://x"))

"""AWS's errors as typed ones, held against botocore's own models."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ParamValidationError, ReadTimeoutError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from aurora_restore.aws.calls import call
from aurora_restore.errors import (
    AccessDenied,
    AwsCallFailed,
    CapacityExhausted,
    KmsKeyUnavailable,
    QuotaExceeded,
    ResourceBusy,
    ResourceExists,
    ResourceMissing,
    RetryableAwsError,
)

# What the operations the pipeline uses may answer, and has no class of its own: wrong settings, to be read by a person.
WITHOUT_CLASS = {
    "DBSubnetGroupDoesNotCoverEnoughAZs",
    "DBUpgradeDependencyFailure",
    "InvalidRestoreFault",
    "InvalidSubnet",
    "NetworkTypeNotSupported",
    "ProvisionedIopsNotAvailableInAZFault",
    "StorageTypeNotAvailableFault",
    "StorageTypeNotSupported",
    "VpcEncryptionControlViolationException",
}


def failing(error: Exception) -> Any:
    def operation(**_: Any) -> dict[str, Any]:
        raise error

    return operation


def client_error(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("DBClusterNotFoundFault", ResourceMissing),
        ("DBInstanceNotFound", ResourceMissing),
        ("ResourceNotFoundException", ResourceMissing),
        ("DBClusterAlreadyExistsFault", ResourceExists),
        ("DBInstanceAlreadyExists", ResourceExists),
        ("InvalidDBClusterStateFault", ResourceBusy),
        ("InvalidDBInstanceState", ResourceBusy),
        ("SnapshotQuotaExceeded", QuotaExceeded),
        ("DBClusterQuotaExceededFault", QuotaExceeded),
        ("InsufficientDBInstanceCapacity", CapacityExhausted),
        ("KMSKeyNotAccessibleFault", KmsKeyUnavailable),
        ("KMSThrottling", RetryableAwsError),  # SNS, of an encrypted topic
        ("AccessDenied", AccessDenied),
        ("AccessDeniedException", AccessDenied),
        ("Throttling", RetryableAwsError),
        ("InvalidParameterValue", AwsCallFailed),
    ],
)
def test_a_code_becomes_its_class(code: str, kind: type[AwsCallFailed]) -> None:
    with pytest.raises(AwsCallFailed) as caught:
        call(failing(client_error(code)))
    assert type(caught.value) is kind
    assert caught.value.aws_code == code


def test_every_code_of_the_operations_in_use_is_known() -> None:
    model = ServiceModel(Loader().load_service_model("rds", "service-2"))
    operations = ("RestoreDBClusterFromSnapshot", "CopyDBClusterSnapshot", "ModifyDBCluster", "ModifyDBInstance")
    removals = ("DeleteDBCluster", "DeleteDBInstance", "DeleteDBClusterSnapshot")
    plain = set()
    for name in (*operations, "CreateDBInstance", "EnableHttpEndpoint", *removals):
        for shape in model.operation_model(name).error_shapes:
            with pytest.raises(AwsCallFailed) as caught:
                call(failing(client_error(shape.error_code)))
            if type(caught.value) is AwsCallFailed:
                plain.add(shape.error_code)
    assert plain == WITHOUT_CLASS


@pytest.mark.parametrize(
    "error",
    [
        client_error("Anything", 503),
        ConnectionClosedError(endpoint_url="https://rds"),
        ReadTimeoutError(endpoint_url="https://rds"),
    ],
)
def test_disturbances_are_retryable(error: Exception) -> None:
    with pytest.raises(RetryableAwsError):
        call(failing(error))


def test_a_mistake_of_ours_is_not_retried() -> None:
    with pytest.raises(AwsCallFailed) as caught:
        call(failing(ParamValidationError(report="wrong")))
    assert not isinstance(caught.value, RetryableAwsError)


def test_arguments_and_answers_pass_through() -> None:
    assert call(partial(dict, a=1), b=2) == {"a": 1, "b": 2}

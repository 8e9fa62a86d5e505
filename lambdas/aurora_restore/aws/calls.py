"""The one place where AWS's errors become the pipeline's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  # botocore's base of endpoint, proxy and time-out errors
    HTTPClientError,
)

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

RETRYABLE = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "KMSThrottling",
        "KMSThrottlingException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


def call(operation: Callable[..., Any], /, **arguments: Any) -> dict[str, Any]:
    """Run one client method; ClientError and BotoCoreError leave as typed errors."""
    try:
        result: dict[str, Any] = operation(**arguments)
    except (ClientError, BotoCoreError) as error:
        raise translate(error, getattr(operation, "__name__", "AWS call")) from error
    return result


def translate(error: ClientError | BotoCoreError, what: str) -> AwsCallFailed:
    """The typed error for what botocore raised; `what` names the call in the message."""
    if not isinstance(error, ClientError):  # no response: ConnectionClosedError and its kin carry no error code
        kind = RetryableAwsError if isinstance(error, ConnectionError | HTTPClientError) else AwsCallFailed
        return kind(f"{what}: {error}.", aws_code=type(error).__name__)
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    text = str(error.response.get("Error", {}).get("Message", "")).rstrip(".")
    return _kind(code, status)(f"{what}: {code}: {text}.", aws_code=code)


def _kind(code: str, status: int) -> type[AwsCallFailed]:
    """AWS names its faults by pattern (DBClusterNotFoundFault, DBInstanceNotFound, InvalidDBClusterStateFault)."""
    bare = code.removesuffix("Exception").removesuffix("Fault")
    if code in RETRYABLE or status >= 500:
        return RetryableAwsError
    if bare in ("AccessDenied", "UnauthorizedOperation", "AuthorizationError"):
        return AccessDenied
    if bare.startswith("KMS"):
        return KmsKeyUnavailable
    if bare.endswith("QuotaExceeded"):
        return QuotaExceeded
    if bare.startswith("Insufficient"):
        return CapacityExhausted
    if bare.endswith("AlreadyExists"):
        return ResourceExists
    if bare.endswith("NotFound"):
        return ResourceMissing
    if bare.startswith("Invalid") and bare.endswith("State"):
        return ResourceBusy
    return AwsCallFailed

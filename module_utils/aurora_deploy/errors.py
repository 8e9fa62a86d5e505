"""Failures of a deployment as one sentence each: which resource, which API action, what AWS said, what to do."""

from __future__ import annotations

from botocore import exceptions as botocore_errors
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

AWS_ERRORS = (ClientError, BotoCoreError)
"""Everything botocore raises for a call. Only ClientError carries a `.response`; lost connections do not."""

_RENEW = "renew the credentials (for example `aws sso login`) and run again"
_CREDENTIALS = "check the access key, or the variables aws_profile and aws_config_file of the inventory"
_PERMISSION = "allow the caller this action on this resource (IAM policy, key policy or organisation policy)"
_AGAIN = "run again: the deployment continues where it stopped"
_QUOTA = "raise the quota in Service Quotas or remove what is not needed"
_NETWORK = "check the network, the region and AWS_ENDPOINT_URL, and run again"

DEPLOY_FIRST = "deploy first (ansible-playbook site.yml with this inventory)"

_FIX_BY_CODE = {
    "AccessDenied": _PERMISSION,
    "AccessDeniedException": _PERMISSION,
    "AuthorizationError": _PERMISSION,
    "UnauthorizedOperation": _PERMISSION,
    "KMSAccessDeniedException": _PERMISSION,
    "ExecutionDoesNotExist": "playbooks/status.yml lists the latest operations",
    "ExpiredToken": _RENEW,
    "ExpiredTokenException": _RENEW,
    "RequestExpired": _RENEW,
    "AuthFailure": _CREDENTIALS,
    "InvalidAccessKeyId": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "UnrecognizedClientException": _CREDENTIALS,
    "Throttling": _AGAIN,
    "ThrottlingException": _AGAIN,
    "TooManyRequestsException": _AGAIN,
    "RequestLimitExceeded": _AGAIN,
    "StateMachineDoesNotExist": DEPLOY_FIRST,
    "LimitExceeded": _QUOTA,
    "LimitExceededException": _QUOTA,
    "DependencyViolation": "remove what still uses it, such as a rule of a cluster's security group, and run again",
}
_FIX_BY_TYPE: tuple[tuple[type[BotoCoreError], str], ...] = (
    (botocore_errors.NoCredentialsError, _CREDENTIALS),
    (botocore_errors.PartialCredentialsError, _CREDENTIALS),
    (botocore_errors.ProfileNotFound, "name an existing profile in aws_profile, or leave it empty"),
    (botocore_errors.NoRegionError, "set the variable region in the inventory"),
    (botocore_errors.SSOError, _RENEW),
    (botocore_errors.TokenRetrievalError, _RENEW),
    (botocore_errors.ConnectionError, _NETWORK),  # endpoint unreachable
    (botocore_errors.HTTPClientError, _NETWORK),  # connection closed, time-outs, TLS
    (WaiterError, "look at the resource in the console, then " + _AGAIN),
)


# Lambda's ResourceConflictException is both: "already exists", and that another change is under way.
_SURPRISES = ("Exists", "NotFound", "Duplicate", "NoSuchEntity", "ResourceConflictException", "ResourceInUseException")


class DeployError(Exception):
    """A failure of ours whose message already says what to do."""


def explain(error: Exception, subject: str) -> str:
    """Return one sentence about `error` for the resource `subject`, ending with the fix where one is known."""
    if isinstance(error, ClientError):
        detail = error.response.get("Error", {})
        code = detail.get("Code", "Unknown")
        text = f"{subject}: {error.operation_name} failed with {code}: {detail.get('Message', 'no message')}"
        fix = _FIX_BY_CODE.get(code, _QUOTA if code.endswith("LimitExceeded") else None)  # EC2: VpcLimitExceeded, ...
    else:
        text = f"{subject}: {error}"
        fix = next((fix for kind, fix in _FIX_BY_TYPE if isinstance(error, kind)), None)
    text = text.rstrip(".")
    return f"{text}. Fix: {fix}." if fix else f"{text}."


def is_surprise(error: Exception) -> bool:
    """Tell whether AWS says that something already is, or no longer is, as a write would have made it.

    So it answers when botocore repeats a call whose first reply was lost, and when a listing came late after a change.
    """
    if not isinstance(error, ClientError):
        return False
    code = error.response.get("Error", {}).get("Code", "")
    return any(sign in code for sign in _SURPRISES)


def is_transient(error: Exception) -> bool:
    """Tell whether the same call may succeed a moment later: lost connection, throttling, AWS's own failure."""
    if not isinstance(error, ClientError):
        return isinstance(error, botocore_errors.HTTPClientError)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = error.response.get("Error", {}).get("Code", "")
    return status >= 500 or "Throttl" in code or code in ("RequestLimitExceeded", "TooManyRequestsException")


def is_code(error: Exception, *codes: str) -> bool:
    """Tell whether `error` is AWS's answer with one of these error codes."""
    return isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in codes

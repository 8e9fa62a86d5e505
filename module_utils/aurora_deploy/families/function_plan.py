"""What every Lambda function of the pipeline looks like: one declaration per step, no AWS but the lookups of ids."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aurora_deploy.diff import UNKNOWN, Attributes
from aurora_deploy.errors import DeployError

CURRENT = "the current code and configuration"
"""What the alias has to run."""

# Lambda's names for the levels of Python's logging (Lambda Developer Guide, "Log-level filtering").
_LOG_LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}
_OVERRIDABLE = ("memory", "timeout")
_NOT_VERSIONED = ("reserved_concurrency", "async_retries", "async_max_age", "tags", "live")


@dataclass(frozen=True)
class Code:
    """The deployment package: its bytes and their base64 SHA-256, the form of Lambda's CodeSha256."""

    content: bytes
    sha256: str

    @classmethod
    def load(cls, path: str) -> Code:
        """Read the zip; raises DeployError where there is none."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise DeployError(
                f"the package {path} cannot be read: {error.strerror}. Fix: build it first, as --tags lambda does"
            ) from error
        return cls(content, base64.b64encode(hashlib.sha256(content).digest()).decode())


@dataclass(frozen=True)
class Placement:
    """Where functions run, with ids; `UNKNOWN` in check mode for what does not exist yet."""

    vpc_id: str
    subnet_ids: list[str]
    security_group_ids: list[str]


def declare(args: Mapping[str, Any], code_sha256: str, key_arn: str, place: Placement) -> dict[str, Attributes]:
    """Return the attributes of every function by name."""
    unknown_steps = sorted((args["overrides"].keys() | args["reserved_concurrency"].keys()) - set(args["steps"]))
    if unknown_steps:
        raise DeployError(
            f"lambda_overrides or lambda_reserved_concurrency name {', '.join(unknown_steps)}, which are no functions. "
            f"Fix: use the steps' names: {', '.join(args['steps'])}"
        )
    if unknown_keys := sorted({key for own in args["overrides"].values() for key in own} - set(_OVERRIDABLE)):
        raise DeployError(
            f"lambda_overrides set {', '.join(unknown_keys)}, which cannot differ by step. "
            f"Fix: use {' and '.join(_OVERRIDABLE)}"
        )
    return {
        f"{args['name_prefix']}-{step}": _function(args, step, code_sha256, key_arn, place) for step in args["steps"]
    }


def versioned(attributes: Attributes) -> Attributes:
    """Return the attributes that PublishVersion freezes."""
    return {key: value for key, value in attributes.items() if key not in _NOT_VERSIONED and not key.startswith("_")}


def _function(args: Mapping[str, Any], step: str, code_sha256: str, key_arn: str, place: Placement) -> Attributes:
    name = f"{args['name_prefix']}-{step}"
    own = args["overrides"].get(step, {})
    timeout, memory = own.get("timeout", args["timeout"]), own.get("memory", args["memory"])
    level = args["log_level"].upper()
    resolved = {
        "VPC_ID": place.vpc_id,
        "SUBNET_IDS": _joined(place.subnet_ids),
        "SECURITY_GROUP_IDS": _joined(place.security_group_ids),
        "KMS_KEY_ID": key_arn,
        "LAMBDA_TIMEOUT_SECONDS": str(timeout),
        "LAMBDA_MEMORY_SIZE": str(memory),
    }
    asynchronous = {"async_retries": args["async_retries"], "async_max_age": args["async_max_age"]}
    return {
        "code_sha256": code_sha256,
        "handler": f"aurora_restore.handlers.{step.replace('-', '_')}.handler",
        "description": f"Aurora Restore Pipeline: {step}",
        "runtime": args["runtime"],
        "architecture": args["architecture"],
        "memory": memory,
        "timeout": timeout,
        "role": f"arn:aws:iam::{args['account_id']}:role/{name}-role",
        "environment": {**{key: _text(value) for key, value in args["environment"].items()}, **resolved},
        "kms_key": key_arn,
        "subnet_ids": sorted(place.subnet_ids),
        "security_group_ids": sorted(place.security_group_ids),
        "tracing": "Active",
        "dead_letter_target": args["dead_letter_target"],
        "log_group": f"/aws/lambda/{name}",
        "log_format": "JSON",
        "log_level": _LOG_LEVELS.get(level, level),
        "reserved_concurrency": args["reserved_concurrency"].get(step),
        **(asynchronous if step in args["asynchronous"] else {}),
        "tags": dict(args["tags"]),
        "live": CURRENT,
    }


def _joined(identifiers: list[str]) -> str:
    return UNKNOWN if UNKNOWN in identifiers else ",".join(sorted(identifiers))


def _text(value: Any) -> str:
    """Environment variables are strings; a whole number written as 2.0 is the guide's 2."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)

"""The functions' configuration, read once per cold start."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aurora_restore.errors import InvalidSettings

T = TypeVar("T")

ZIP_ROOT = Path(__file__).resolve().parent.parent
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True)
class Settings:
    """Everything a function is told by its environment; durations in seconds, memory in MiB."""

    environment: str
    region: str
    account_id: str
    name_prefix: str
    state_table: str
    audit_table: str
    topic_arn: str
    kms_key_id: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    master_secret_name: str
    app_secret_name: str
    audit_ttl_days: int
    rds_ca_bundle: Path
    masking_directory: Path
    log_level: str
    max_retries: int
    retry_interval_seconds: int
    retry_backoff_rate: float
    state_machine_timeout_seconds: int
    approval_max_hours: int
    lambda_timeout_seconds: int
    lambda_memory_size: int

    @property
    def target_tag(self) -> str:
        """Key of the tag by which a cluster's owner allows it to be replaced (value `true`)."""
        return f"{self.name_prefix}:target"

    @property
    def operation_tag(self) -> str:
        """Key of the tag on everything an operation makes (value: its operation_id)."""
        return f"{self.name_prefix}:operation"

    @property
    def restored_tag(self) -> str:
        """Key of the tag that takes the place of the operation tag once a swap is complete (value: the operation_id).

        No failed operation may delete what carries it: it is the target now.
        """
        return f"{self.name_prefix}:restored-by"

    @property
    def replaced_tag(self) -> str:
        """Key of the tag on a cluster that a swap put aside (value: the operation_id that did it)."""
        return f"{self.name_prefix}:replaced-by"

    @property
    def expires_tag(self) -> str:
        """Key of the tag that says when a kept cluster may be removed (value: UTC ISO-8601)."""
        return f"{self.name_prefix}:expires-at"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read docs/architecture.md's variables; `CONFIG_FILE` names a JSON file with the same keys, environment wins.

        Raises InvalidSettings that names every missing or malformed variable at once.
        """
        reader = _Reader(os.environ if environ is None else environ)
        prefix = reader.get("NAME_PREFIX", str, "aurora-restore")
        settings: dict[str, Any] = {
            "environment": reader.get("ENVIRONMENT", str),
            "region": reader.get("REGION", str),
            "account_id": reader.get("ACCOUNT_ID", _account_id),
            "name_prefix": prefix,
            "state_table": reader.get("DYNAMODB_TABLE_NAME", str),
            "audit_table": reader.get("DYNAMODB_AUDIT_TABLE_NAME", str, f"{prefix}-audit"),
            "topic_arn": reader.get("SNS_TOPIC_ARN", _arn),
            "kms_key_id": reader.get("KMS_KEY_ID", str),
            "vpc_id": reader.get("VPC_ID", str),
            "subnet_ids": reader.get("SUBNET_IDS", _names),
            "security_group_ids": reader.get("SECURITY_GROUP_IDS", _names),
            "master_secret_name": reader.get("MASTER_SECRET_NAME", str, f"{prefix}/master-credentials"),
            "app_secret_name": reader.get("APP_SECRET_NAME", str, f"{prefix}/app-credentials"),
            "audit_ttl_days": reader.get("AUDIT_TTL_DAYS", _positive, 365),
            "rds_ca_bundle": ZIP_ROOT / reader.get("RDS_CA_BUNDLE", str, "rds-ca-bundle.pem"),
            "masking_directory": ZIP_ROOT / reader.get("MASKING_DIRECTORY", str, "masking"),
            "log_level": reader.get("LOG_LEVEL", _log_level, "INFO"),
            "max_retries": reader.get("MAX_RETRIES", _not_negative, 3),
            "retry_interval_seconds": reader.get("RETRY_INTERVAL_SECONDS", _positive, 3),
            "retry_backoff_rate": reader.get("RETRY_BACKOFF_RATE", _backoff_rate, 2.0),
            "state_machine_timeout_seconds": reader.get("STATE_MACHINE_TIMEOUT_SECONDS", _positive, 7200),
            "approval_max_hours": reader.get("APPROVAL_MAX_HOURS", _not_negative, 24),
            "lambda_timeout_seconds": reader.get("LAMBDA_TIMEOUT_SECONDS", _positive, 300),
            "lambda_memory_size": reader.get("LAMBDA_MEMORY_SIZE", _positive, 256),
        }
        reader.finish()
        return cls(**settings)


class _Reader:
    """Looks variables up in the environment, then in CONFIG_FILE, and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._problems: list[str] = []
        self._values: dict[str, Any] = {**self._config_file(environ.get("CONFIG_FILE", "")), **environ}

    def _config_file(self, path: str) -> dict[str, Any]:
        if not path:
            return {}
        try:
            content = json.loads(Path(path).read_text("utf-8"))
        except (OSError, ValueError) as error:
            self._problems.append(f"CONFIG_FILE: {path} cannot be read as JSON ({error})")
            return {}
        if not isinstance(content, dict):
            self._problems.append(f"CONFIG_FILE: {path} must hold one JSON object")
            return {}
        return content

    def get(self, name: str, convert: Callable[[Any], T], default: T | None = None) -> T:
        value = self._values.get(name, "")
        if value in ("", None, []):
            if default is None:
                self._problems.append(f"{name}: missing")
            return default  # type: ignore[return-value]  # finish() raises before a missing value can be used
        try:
            return convert(value)
        except (TypeError, ValueError) as error:
            self._problems.append(f"{name}: {error}")
            return default  # type: ignore[return-value]

    def finish(self) -> None:
        if self._problems:
            raise InvalidSettings("; ".join(self._problems) + ".")


def _account_id(value: Any) -> str:
    if not (str(value).isdigit() and len(str(value)) == 12):
        raise ValueError("must be a 12-digit account number, quoted")
    return str(value)


def _arn(value: Any) -> str:
    if not str(value).startswith("arn:"):
        raise ValueError("must be an ARN")
    return str(value)


def _names(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else str(value).split(",")
    names = tuple(str(part).strip() for part in parts if str(part).strip())
    if not names:
        raise ValueError("must name at least one, separated by commas")
    return names


def _log_level(value: Any) -> str:
    if str(value).upper() not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}")
    return str(value).upper()


def _not_negative(value: Any) -> int:
    if not str(value).isdigit():
        raise ValueError("must be a whole number, 0 or more")
    return int(value)


def _positive(value: Any) -> int:
    if _not_negative(value) == 0:
        raise ValueError("must be a whole number above 0")
    return int(value)


def _backoff_rate(value: Any) -> float:
    if float(value) < 1:
        raise ValueError("must be a number, 1 or more")
    return float(value)

"""The shape of every inventory variable. docs/configuration.md repeats `expected`; a test holds the two together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Days that CloudWatch Logs accepts (PutRetentionPolicy).
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
YEAR = 31_536_000
"""Seconds that a Standard workflow may run at most (Step Functions service quotas)."""


@dataclass(frozen=True)
class Rule:
    """What a variable must be: `expected` completes the sentence "must be ..."; `fix` says what is not obvious."""

    expected: str
    accepts: Callable[[Any], bool]
    fix: str = ""

    def mistake(self, name: str, value: Any) -> str | None:
        """Return one sentence about the value if the rule does not accept it."""
        if self.accepts(value):
            return None
        fix = self.fix or f"correct {name} in the inventory"
        return f"{name} is {value!r}, must be {self.expected}. Fix: {fix}."


def as_number(value: Any) -> float | None:
    """Return a number of the inventory, or of a `-e` option, where it arrives as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    def accepts(value: Any) -> bool:
        number = as_number(value)
        return number is not None and number.is_integer() and low <= number <= high

    return accepts


def _number(low: float, high: float) -> Callable[[Any], bool]:
    def accepts(value: Any) -> bool:
        number = as_number(value)
        return number is not None and low <= number <= high

    return accepts


def _text(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _texts(pattern: str, most: int) -> Callable[[Any], bool]:
    one = _text(pattern)
    return lambda value: (
        isinstance(value, list) and len(value) <= most and all(map(one, value)) and len(set(value)) == len(value)
    )


def _one_of(*choices: str) -> Callable[[Any], bool]:
    return lambda value: value in choices


def _flag(value: Any) -> bool:
    return isinstance(value, bool) or str(value).lower() in ("true", "false", "yes", "no")


def _file_or_empty(value: Any) -> bool:
    return value == "" or (isinstance(value, str) and Path(value).expanduser().is_file())


def _subscriptions(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, Mapping)
        and set(one) == {"protocol", "endpoint"}
        and one["protocol"] in _ENDPOINTS
        and _ENDPOINTS[one["protocol"]](one["endpoint"])
        for one in value
    )


def _limits_by_step(value: Any) -> bool:
    limit = _whole(0, 1000)
    return isinstance(value, Mapping) and all(isinstance(key, str) and limit(one) for key, one in value.items())


_ENDPOINTS = {
    "email": _text(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "https": _text(r"https://\S+"),
    "sqs": _text(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:\S+"),
}
_TOPIC = r"|arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+"
_TABLE = r"|[A-Za-z0-9_.-]{3,255}"
_KMS_KEY = r"|alias/[A-Za-z0-9/_-]+|[a-z0-9-]{36}|mrk-[a-f0-9]{32}|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/\S+"
_RETENTION = Rule(
    "one of " + ", ".join(map(str, LOG_RETENTION_DAYS)), lambda value: as_number(value) in LOG_RETENTION_DAYS
)

RULES: dict[str, Rule] = {
    "environment_name": Rule("1 to 16 lower-case letters, digits and hyphens", _text(r"[a-z][a-z0-9-]{0,15}")),
    "region": Rule("a region", _text(r"[a-z]{2,4}(-[a-z0-9]+)+")),
    "account_id": Rule("12 digits in quotes", _text(r"\d{12}"), 'write it as text, as in account_id: "012345678901"'),
    "aws_profile": Rule("the name of a profile, or empty", _text(r"\S*")),
    "aws_config_file": Rule("an existing file, or empty", _file_or_empty),
    "name_prefix": Rule(
        "lower-case letters, digits and single hyphens, beginning with a letter", _text(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
    ),
    "dynamodb_table_name": Rule("3 to 255 letters, digits and _ . -, or empty", _text(_TABLE)),
    "dynamodb_audit_table_name": Rule("3 to 255 letters, digits and _ . -, or empty", _text(_TABLE)),
    "sns_topic_arn": Rule("the ARN of an SNS topic, or empty", _text(_TOPIC)),
    "kms_key_id": Rule("the id, ARN or alias of a KMS key, or empty", _text(_KMS_KEY)),
    "vpc_id": Rule("the id of a VPC (vpc-...), or empty", _text(r"|vpc-[0-9a-f]{8,17}")),
    "subnet_ids": Rule("a list of at most 16 different subnet ids", _texts(r"subnet-[0-9a-f]{8,17}", 16)),
    "security_group_ids": Rule("a list of at most 5 different security group ids", _texts(r"sg-[0-9a-f]{8,17}", 5)),
    "log_level": Rule("one of " + ", ".join(LOG_LEVELS), _one_of(*LOG_LEVELS)),
    "max_retries": Rule("a whole number from 0 to 20", _whole(0, 20)),
    "retry_interval_seconds": Rule(
        "a whole number from 1 to 59", _whole(1, 59), "the definition caps every wait at 60 s"
    ),
    "retry_backoff_rate": Rule("a number from 1 to 10", _number(1, 10)),
    "state_machine_timeout_seconds": Rule(f"a whole number from 60 to {YEAR}", _whole(60, YEAR)),
    "lambda_timeout_seconds": Rule(
        "a whole number from 1 to 900", _whole(1, 900), "Lambda ends every call after 900 s: choose less"
    ),
    "lambda_memory_size": Rule("a whole number from 128 to 10240", _whole(128, 10240)),
    "approval_max_hours": Rule("a whole number from 0 to 8000", _whole(0, 8000)),
    "sns_subscriptions": Rule(
        "a list of {protocol, endpoint} with the protocol email, https or sqs and an endpoint of that kind",
        _subscriptions,
    ),
    "vpc_egress": Rule("endpoints or nat", _one_of("endpoints", "nat")),
    "dynamodb_deletion_protection": Rule("true or false", _flag),
    "lambda_audit_ttl_days": Rule("a whole number from 1 to 3653", _whole(1, 3653)),
    "lambda_log_retention_days": _RETENTION,
    "stepfunctions_log_retention_days": _RETENTION,
    "lambda_rds_ca_bundle": Rule(
        "an existing PEM file, or empty",
        _file_or_empty,
        "give its path, or leave it empty for the bundle of Amazon RDS",
    ),
    "lambda_reserved_concurrency": Rule("a mapping of steps to whole numbers from 0 to 1000", _limits_by_step),
    "source_accounts": Rule("a list of at most 20 different accounts, 12 digits in quotes each", _texts(r"\d{12}", 20)),
    "restore_targets": Rule("a mapping of target names to requests", lambda value: isinstance(value, Mapping)),
}

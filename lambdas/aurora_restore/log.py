"""Structured logging: every line names the operation and the step."""

from __future__ import annotations

from aws_lambda_powertools import Logger

from aurora_restore.settings import Settings


def build_logger(settings: Settings) -> Logger:
    """One JSON logger per cold start. Steps log facts by key; never a secret, never a whole event."""
    return Logger(service=settings.name_prefix, level=settings.log_level)


def bind(logger: Logger, *, operation_id: str, step: str) -> None:
    """Put operation and step on every line of this invocation, replacing what an earlier one left behind."""
    logger.remove_keys(["operation_id", "step"])
    logger.append_keys(operation_id=operation_id, step=step)

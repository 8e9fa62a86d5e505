"""The shared entry of all functions: context, audit trail and errors around one step."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from aurora_restore import document as documents
from aurora_restore.context import Context, build_context
from aurora_restore.errors import RestoreError, UnexpectedError
from aurora_restore.log import bind
from aurora_restore.settings import Settings
from aurora_restore.store import AuditStatus

Step = Callable[[Context, Mapping[str, Any]], dict[str, Any]]
Handler = Callable[[dict[str, Any], object], dict[str, Any]]


@cache
def shared_context() -> Context:
    """One context per cold start."""
    return build_context(Settings.from_env())


def handler(
    step: str, run: Step, *, advances: str | None = None, context: Callable[[], Context] = shared_context
) -> Handler:
    """The Lambda handler of one step.

    `step` is the state's name. A step that advances in several calls names in `advances` where the state machine puts
    its result: it is audited once when it starts and once when its result says `done`, not at each call.
    """

    def handle(event: dict[str, Any], _lambda_context: object) -> dict[str, Any]:
        ctx = context()
        operation_id = documents.operation_id(event)
        bind(ctx.logger, operation_id=operation_id, step=step)
        if advances is None or advances not in event:
            ctx.store.audit(operation_id, step, AuditStatus.STARTED)
        try:
            result = run(ctx, event)
        except RestoreError as error:
            _record_failure(ctx, operation_id, step, error)
            raise
        except Exception as error:
            # The runtime logs an exception's text and Step Functions keeps it for months; this one's may hold anything.
            unexpected = UnexpectedError(f"{type(error).__name__} at {_place(error)}.")
            _record_failure(ctx, operation_id, step, unexpected)
            raise unexpected from None
        if result.get("done", True):
            ctx.store.audit(operation_id, step, AuditStatus.SUCCEEDED, result.get("audit"))
        return {key: value for key, value in result.items() if key != "audit"}

    return handle


def sweeper(run: Step, *, context: Callable[[], Context] = shared_context) -> Handler:
    """The Lambda handler of what looks at all operations: each thing it does is audited where it is done."""

    def handle(event: dict[str, Any], _lambda_context: object) -> dict[str, Any]:
        ctx = context()
        try:
            return run(ctx, event)
        except RestoreError:
            raise
        except Exception as error:
            raise UnexpectedError(f"{type(error).__name__} at {_place(error)}.") from None

    return handle


def _record_failure(context: Context, operation_id: str, step: str, error: RestoreError) -> None:
    """Log and audit a failure; if the audit fails too, the step's own error still is the one that leaves."""
    details = error.details()
    context.logger.error("step failed", extra={"failure": details})
    try:
        context.store.audit(operation_id, step, AuditStatus.FAILED, details)
    except RestoreError as audit_error:
        context.logger.error("the failure could not be audited", extra={"error": type(audit_error).__name__})


def _place(error: Exception) -> str:
    """File and line of the innermost frame."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"

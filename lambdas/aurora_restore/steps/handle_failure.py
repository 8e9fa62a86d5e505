"""HandleFailure: undo by journal, free the lock, tell everybody. Called again until it says `done`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore import document as documents
from aurora_restore import messages
from aurora_restore.context import Context
from aurora_restore.errors import (
    AwsCallFailed,
    CleanupFailed,
    Code,
    PostSwapFailure,
    RestoreError,
    RetryableAwsError,
)
from aurora_restore.failure import Failure, read_failure
from aurora_restore.planning.deadlines import approval_seconds, cleanup_deadline
from aurora_restore.polling import wait_seconds
from aurora_restore.removal import removal
from aurora_restore.steps.notifying import publish_once
from aurora_restore.steps.undo import swap_is_complete, undo
from aurora_restore.steps.undo_progress import Progress
from aurora_restore.store import Operation, Status, resource_key
from aurora_restore.taking_over import UNDO, Undo

STEP = "HandleFailure"
AWAY = "TargetAway"


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """One call's worth of clean-up; `error` and `cause` are what the execution ends with.

    Works without a plan, when SnapshotCheck itself failed, and leaves alone what belongs to another execution. Raises
    CleanupFailed where the time is over before a target that was removed is back, or has its names back: the operation
    stays RUNNING, so that the sweep starts the next clean-up, which goes on with it.
    """
    operation_id = documents.operation_id(document)
    operation = context.store.read(operation_id)
    plan = document.get("plan") or (operation.plan if operation else None) or None
    failure = read_failure(document.get("error") or document.get("taken", {}).get("error"))
    ours = operation is not None and operation.execution_id == documents.execution_id(document)
    progress, phase = Progress(), Undo.DONE
    if operation and ours:
        if swap_is_complete(context, operation):
            failure, phase = _after_swap(failure, plan), Undo.KEPT
        else:
            context.store.journal(operation_id, UNDO, {"phase": Undo.BEGUN.value})
            progress = _undo(context, operation)
    earlier = document.get("failure", {})
    since = int(earlier.get("since", context.now()))
    undone = list(dict.fromkeys([*earlier.get("undone", []), *progress.undone]))
    result = {
        "error": failure.error,
        "cause": f"{failure.text} Remedy: {failure.remedy}",
        "undone": undone,
        "since": since,
    }
    end = cleanup_deadline(context.settings, document["execution"]["started_at"], approval_seconds(plan))
    remaining = end - context.now()
    if progress.waiting and plan and operation and (progress.away or removal(operation).began):
        _tell_of_trouble(context, operation, plan, progress, failure, over=remaining <= 0)
    if progress.waiting and remaining > 0:
        pause = wait_seconds(elapsed=context.now() - since, remaining=remaining)
        return {**result, "done": False, "waiting": progress.waiting, "wait_seconds": pause}
    if operation and ours:
        phase = Undo.LEFT if progress.waiting else phase
        context.store.journal(operation_id, UNDO, {"phase": phase.value, "undone": undone, "left": progress.waiting})
    _close(context, operation_id, plan, operation if ours else None)
    text = messages.failed(context.settings, operation_id, plan, failure, undone, progress.waiting)
    told = _tell(context, operation_id, STEP, *text)
    audit = {"undone": undone, "left": progress.waiting}
    return {**result, "done": True, "left": progress.waiting, "told": told, "wait_seconds": 0, "audit": audit}


def _undo(context: Context, operation: Operation) -> Progress:
    """One call's worth of undo. While the target is away, what AWS refuses is no end of it: it is tried again."""
    try:
        return undo(context, operation)
    except RetryableAwsError:
        raise
    except RestoreError as error:
        if not removal(operation).began:
            raise
        progress = Progress()
        progress.stuck(error.message)
        return progress


def _tell_of_trouble(
    context: Context,
    operation: Operation,
    plan: Mapping[str, Any],
    progress: Progress,
    failure: Failure,
    *,
    over: bool,
) -> None:
    """Tell, once, of a target that cannot be as it was for now; raises it when the time is `over`."""
    found, target = removal(operation), plan["target"]["cluster"]
    left, began = "; ".join(progress.waiting), f"It began with: {failure.error} {failure.text}"
    if found.began:
        error = CleanupFailed(
            f"{target} was removed and is not back yet: {left}. Its data are in snapshot {found.snapshot_id}. {began}",
            remedy="Put right what is named: the clean-up goes on by itself, and with playbooks/abort.yml. If it has "
            f"given up, restore {found.snapshot_id} as {target} by hand: docs/errors.md, A target that was removed.",
        )
    else:
        error = CleanupFailed(
            f"The names of {target} and its instances are not all back yet: {left}. {began}",
            remedy="The clean-up goes on by itself, and with playbooks/abort.yml. If it has given up, put the names "
            "back by hand: docs/errors.md.",
        )
    if progress.trouble or over:
        _tell(context, operation.operation_id, AWAY, *messages.away(context.settings, plan, error))
    if over:
        raise error


def _after_swap(failure: Failure, plan: Any) -> Failure:
    """The swap is complete: the target keeps the verified data, and the error says so."""
    name = plan["target"]["cluster"] if plan else "The target"
    holds = (
        "holds its old data again" if plan and plan["action"] == "rollback" else "holds the restored and verified data"
    )
    return Failure(
        error=PostSwapFailure.__name__,
        code=Code.POST_SWAP_FAILURE.value,
        message=f"{name} {holds}, but afterwards: {failure.error} {failure.text}",
        remedy=f"{PostSwapFailure.default_remedy} {failure.remedy}",
    )


def _close(context: Context, operation_id: str, plan: Mapping[str, Any] | None, operation: Operation | None) -> None:
    """Record the failure and free the lock; `operation` is None where there is none of this execution."""
    if operation:
        context.store.set_status(operation_id, Status.FAILED)
    target = plan["target"]["cluster"] if plan else operation.entry("operation").get("target") if operation else None
    if target and (operation or context.store.read(operation_id) is None):
        context.store.release(resource_key(context.settings.region, target), operation_id)


def _tell(context: Context, operation_id: str, step: str, subject: str, text: str) -> bool:
    """Publish the failure, once under the name of `step`.

    A topic that refuses is logged and does not hide the error that stopped the restore.

    The alarm on failed executions tells of both. Raises RetryableAwsError, for the state machine to try again.
    """
    try:
        publish_once(context, operation_id, step, subject, text)
    except RetryableAwsError:
        raise
    except AwsCallFailed as error:
        context.logger.error("the failure could not be told", extra={"reason": error.message})
        return False
    return True

"""What the steps that change or wait have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.context import Context
from aurora_restore.errors import LockLost, NameTaken, WaitTimedOut
from aurora_restore.polling import SHORTEST, wait_seconds
from aurora_restore.store import resource_key

# Copies, clusters and instances take minutes, at least so many seconds; between two renames the target is out of reach.
SHORTEST_OF_A_PHASE = 15
EARLIEST_OF_A_PHASE = 90


def waiting(
    context: Context,
    plan: Mapping[str, Any],
    what: str,
    *,
    since: int,
    percent: int | None = None,
    phase: str = "",
    earliest: int = 0,
) -> dict[str, Any]:
    """`done: false` with the seconds to wait. Raises WaitTimedOut once the plan's deadline has passed.

    `since` is the epoch second at which the wait began, `earliest` how many seconds it takes at least (a phase's are
    known here); `what` completes "still waiting for ...".
    """
    now = context.now()
    remaining = int(plan["deadline"]) - now
    if remaining <= 0:
        raise WaitTimedOut(f"The operation's deadline passed while it was still waiting for {what}.")
    pause = wait_seconds(
        elapsed=now - since,
        remaining=remaining,
        percent=percent,
        expected=plan["expected_phases"].get(phase),
        shortest=SHORTEST_OF_A_PHASE if phase else SHORTEST,
        earliest=EARLIEST_OF_A_PHASE if phase else earliest,
    )
    return {"done": False, "since": since, "wait_seconds": pause}


def finished(context: Context, since: int) -> dict[str, Any]:
    """`done: true` with the seconds it took. `wait_seconds` stays, because every loop has it."""
    return {"done": True, "since": since, "seconds": context.now() - since, "wait_seconds": 0}


def require_own(context: Context, tags: Mapping[str, str], operation_id: str, what: str) -> None:
    """What holds one of the operation's names was made by the operation. Raises NameTaken otherwise."""
    owner = tags.get(context.settings.operation_tag)
    if owner != operation_id:
        raise NameTaken(f"{what} exists and was made by {f'operation {owner}' if owner else 'somebody else'}.")


def require_lock(context: Context, plan: Mapping[str, Any]) -> None:
    """The operation still holds the lock of its target. Raises LockLost otherwise."""
    resource = resource_key(plan["target"]["region"], plan["target"]["cluster"])
    holder = context.store.holder(resource)
    if holder is None or holder.owner != plan["operation_id"]:
        raise LockLost(f"{resource} is held by {holder.owner if holder else 'nobody'}, not by {plan['operation_id']}.")

"""What a later execution may do for an operation whose execution has ended. Pure; docs/strategies.md has the table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aurora_restore.errors import NotResumable
from aurora_restore.removal import removal
from aurora_restore.store import Operation, Status

UNDO = "Undo"
PAUSED = "OperationPaused"


class Undo(StrEnum):
    """How far the clean-up of an operation is: the journal's entry `Undo`, key `phase`."""

    NONE = ""
    BEGUN = "begun"
    DONE = "done"
    LEFT = "left"
    KEPT = "kept"


class Way(StrEnum):
    """What happens after the take-over."""

    NOTHING = "nothing"
    CLEAN_UP = "clean_up"
    FORWARD = "forward"
    OVER = "over"


@dataclass(frozen=True)
class Decision:
    """The way, and what to say about it."""

    way: Way
    reason: str


def undo_phase(operation: Operation) -> Undo:
    return Undo(operation.entry(UNDO).get("phase", ""))


def decide_clean_up(operation: Operation | None, *, still_running: bool) -> Decision:
    """Only an operation that is RUNNING in the record, and whose execution is not, has something to clean up."""
    if operation is None:
        return Decision(Way.NOTHING, "the operation had not begun")
    if operation.status is not Status.RUNNING:
        return Decision(Way.NOTHING, f"the operation is {operation.status}: it was cleaned up before")
    if still_running:
        return Decision(Way.NOTHING, "its execution is running")
    return Decision(Way.CLEAN_UP, "its execution ended without a clean-up")


def decide_resume(operation: Operation | None, *, still_running: bool) -> Decision:
    """Forward where the journal is whole, from the start where everything was undone. Raises NotResumable."""
    if operation is None:
        raise NotResumable("Nothing was begun: there is no record of it.", remedy="Start it with restore.yml.")
    if still_running:
        raise NotResumable("The operation is running.", remedy="Follow it: restore.yml -e operation=<id>.")
    phase = undo_phase(operation)
    if operation.status is Status.RUNNING and phase is Undo.NONE:
        return Decision(Way.FORWARD, "goes on where its journal ends")
    if operation.status is Status.FAILED and phase is Undo.KEPT:
        return Decision(Way.FORWARD, "goes on after the swap, which stands")
    if operation.status is Status.FAILED and phase is Undo.DONE and removal(operation).handed_over:
        raise NotResumable(
            f"Its target was removed: {removal(operation).snapshot_id} is kept, and its name cannot be used again.",
            remedy="Start a new one with restore.yml.",
        )
    if operation.status is Status.FAILED and phase is Undo.DONE:
        return Decision(Way.OVER, "starts over: everything it had made was removed")
    if operation.status is Status.FAILED:
        raise NotResumable("Its clean-up left something behind.", remedy="Remove what it names, then start a new one.")
    if operation.status is Status.RUNNING:
        raise NotResumable("Its clean-up has begun and has not ended.", remedy="Let abort.yml finish it, then resume.")
    raise NotResumable(f"The operation is {operation.status}.", remedy="Start a new one with restore.yml.")

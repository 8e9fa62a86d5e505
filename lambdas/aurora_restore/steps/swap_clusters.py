"""SwapClusters: every rename that need not wait for another, until the restored cluster bears the target's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aurora_restore.context import Context
from aurora_restore.errors import ResourceBusy, ResourceExists, ResourceMissing
from aurora_restore.steps.progress import finished, require_lock, waiting
from aurora_restore.steps.restore_snapshot import restored_resource_id
from aurora_restore.swapping import MADE, STEP, Decision, Kind, Move, decide, journalled, plan_moves, world

RENAMES_A_CALL = 16  # as many instances as an Aurora cluster can have: seconds of the function's time
# RDS User Guide, "Renaming a DB instance" and "Renaming a Multi-AZ DB cluster": a new name takes effect after about ten
# minutes, that of a cluster after two; so the first look may come when it has taken unusually little time.
EARLIEST = {Kind.INSTANCE: 50, Kind.CLUSTER: 30}


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Make the next renames, or wait for the last ones; `done` when all names are in place."""
    plan = document["plan"]
    require_lock(context, plan)
    before = document.get("swap", {})
    since = int(before.get("since", context.now()))
    moves = _moves(context, plan)
    decision = advance(context, moves)
    seen = {"renamed": decision.completed, "of": len(moves), "status": decision.reason}
    if decision.done:
        journal(context, plan["operation_id"], moves, MADE)
        return {**seen, "old_cluster_id": plan["swap"]["old_cluster_id"], **finished(context, since)}
    return {**seen, **_next_look(context, plan, decision, before.get("began", {})), "since": since}


def advance(context: Context, moves: Sequence[Move]) -> Decision:
    """Look at the world and make those of `moves` that can be made now. Also used backwards, by the undo.

    The decision comes back with the moves that RDS accepted.
    """
    decision = decide(moves, world(context.rds.list_clusters(), context.rds.list_instances()))
    made = tuple(move for move in decision.moves[:RENAMES_A_CALL] if _rename(context, move))
    return replace(decision, moves=made)


def _rename(context: Context, move: Move) -> bool:
    context.logger.info("rename", extra={"move": move.as_plain()})
    rename = context.rds.rename_cluster if move.kind is Kind.CLUSTER else context.rds.rename_instance
    try:
        rename(move.old, move.new)
    except (ResourceBusy, ResourceExists, ResourceMissing) as error:
        # The world moved since it was looked at, or the listing lagged behind an earlier call's rename, which began
        # or is through: look again after a wait. What is really gone is missed by the next look.
        context.logger.info("rename has to wait", extra={"reason": error.message})
        return False
    return True


def _next_look(
    context: Context, plan: Mapping[str, Any], decision: Decision, before: Mapping[str, int]
) -> dict[str, Any]:
    """The soonest of the looks at what is being renamed, which `began` by resource id; soon, if RDS accepted nothing.

    Each rename is a wait of its own: counted from the first of many, the looks at the last would come ever later.
    """
    what, now = f"the swap: {decision.reason}", context.now()
    renaming = (*decision.under_way, *decision.moves)
    began = {move.resource_id: int(before.get(move.resource_id, now)) for move in renaming}
    looks = [
        waiting(context, plan, what, since=began[move.resource_id], earliest=EARLIEST[move.kind]) for move in renaming
    ]
    soonest = min(looks, key=lambda look: int(look["wait_seconds"]), default=None)
    return {**(soonest or waiting(context, plan, what, since=now)), "began": began}


def journal(context: Context, operation_id: str, moves: Sequence[Move], phase: str) -> None:
    context.store.journal(operation_id, STEP, {"moves": [move.as_plain() for move in moves], "phase": phase})


def _moves(context: Context, plan: Mapping[str, Any]) -> list[Move]:
    """The journalled moves, or, on the first call, new ones: they are in the journal before anything is renamed."""
    operation = context.store.read(plan["operation_id"])
    moves, _ = journalled(operation)
    if not moves:
        moves = [Move.from_plain(move) for move in plan["swap"].get("moves", [])]  # a rollback's are in its plan
        if not moves:
            instances = context.rds.cluster_instances(plan["restore"]["cluster_id"])
            moves = plan_moves(plan, restored_resource_id(operation), instances)
        journal(context, plan["operation_id"], moves, "intended")
    return moves

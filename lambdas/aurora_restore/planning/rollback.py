"""The plan of a rollback: a restore's journalled moves backwards, if the world still is as it left it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurora_restore.aws.rds_types import Cluster, Instance
from aurora_restore.context import Context
from aurora_restore.document import removes_target
from aurora_restore.errors import RollbackImpossible
from aurora_restore.planning import deadlines
from aurora_restore.planning.guards import require_opt_in
from aurora_restore.store import Operation, Status
from aurora_restore.swapping import MADE, Kind, Move, Thing, backwards, journalled, world

ACTION = "rollback"


def plan_rollback(
    context: Context, operation_id: str, rolled_back: str, started_at: str, operation: Operation | None
) -> dict[str, Any]:
    """The plan, in the shape of a restore's. Raises RollbackImpossible or TargetNotAllowed; only reads.

    `rolled_back` is the operation to undo, `operation` its record.
    """
    recorded, moves = _recorded(rolled_back, operation)
    clusters, instances = context.rds.list_clusters(), context.rds.list_instances()
    back = _possible(backwards(moves), clusters, instances)
    away, home = [move for move in back if move.kind is Kind.CLUSTER]
    for move in (away, home):
        cluster = next(item for item in clusters if item.resource_id == move.resource_id)
        require_opt_in(context.settings, cluster)
    return {
        "operation_id": operation_id,
        "action": ACTION,
        "rolls_back": rolled_back,
        "dry_run": False,
        "approval": {"required": False},
        "deadline": deadlines.deadline(context.settings, started_at),
        "source": recorded["source"],
        "target": {**recorded["target"], "cluster_resource_id": home.resource_id},
        "copy": {"needed": False},
        "swap": {
            "needed": True,
            "old_cluster_id": away.new,
            "old_cluster_resource_id": away.resource_id,
            "moves": [move.as_plain() for move in back],
        },
        "retention": recorded["retention"],
        "expected_seconds": None,
        "expected_phases": {},
    }


def _recorded(rolled_back: str, operation: Operation | None) -> tuple[Mapping[str, Any], list[Move]]:
    """Plan and moves of the restore, if it made a swap that still stands."""
    if operation is None:
        raise RollbackImpossible(f"There is no record of operation {rolled_back}.")
    moves, phase = journalled(operation)
    if removes_target(operation.plan):
        final, target = operation.plan["replace"]["final_snapshot"], operation.plan["target"]["cluster"]
        raise RollbackImpossible(
            f"Operation {rolled_back} had strategy replace: there is no old cluster.",
            remedy=f"What {target} held before is in snapshot {final}, if it came to that: restore it with "
            f"restore.yml -e target=<name of {target}'s declaration> -e source_snapshot={final}.",
        )
    if operation.plan.get("action") != "restore" or phase != MADE:
        raise RollbackImpossible(f"Operation {rolled_back} ({operation.status}) did not swap any names.")
    if operation.status is Status.ROLLED_BACK:
        raise RollbackImpossible(f"Operation {rolled_back} is rolled back already.")
    if operation.status is Status.RUNNING:
        raise RollbackImpossible(f"Operation {rolled_back} has not ended yet.")
    return operation.plan, moves


def _possible(back: Sequence[Move], clusters: Sequence[Cluster], instances: Sequence[Instance]) -> list[Move]:
    """Without the instances that somebody removed since: the clusters must be there, all under the swap's names."""
    things = {(thing.kind, thing.resource_id): thing for thing in world(clusters, instances)}
    problems, kept = [], []
    for move in back:
        thing = things.get((move.kind, move.resource_id))
        if thing is not None:
            kept.append(move)
        if thing is not None or move.kind is Kind.CLUSTER:
            problems += _problem(move, thing)
    problems += [
        f"the cluster {move.old} has no instances left"
        for move in back
        if move.kind is Kind.CLUSTER and not any(item.cluster_id == move.old for item in instances)
    ]
    if problems:
        raise RollbackImpossible(f"The swap cannot be turned back: {'; '.join(problems)}.")
    return kept


def _problem(move: Move, thing: Thing | None) -> list[str]:
    if thing is None:
        return [f"the {move.kind} {move.old} does not exist any more"]
    if thing.name != move.old:
        return [f"the {move.kind} that was {move.old} is called {thing.name} now"]
    return [] if thing.status == "available" else [f"the {move.kind} {move.old} is {thing.status}"]

"""The undo of a failed operation, by its journal: swap the names back, remove what the operation made, bring the
target back where it was removed.

Every function looks at the real world first, so that it can be called again until there is nothing left to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from aurora_restore.context import Context
from aurora_restore.errors import NameTaken, SwapFailed
from aurora_restore.steps import copy_snapshot, restore_snapshot, swap_clusters
from aurora_restore.steps.bringing_back import bring_back
from aurora_restore.steps.undo_progress import Progress
from aurora_restore.store import Operation
from aurora_restore.swapping import MADE, Move, backwards, decide, journalled, world


def swap_is_complete(context: Context, operation: Operation) -> bool:
    """Whether the target's name already belongs to the restored cluster for good.

    True, too, when all names are in place and only the journal did not come to say so.
    """
    moves, phase = journalled(operation)
    if not moves:
        return False
    return phase == MADE or (phase == "intended" and _all_done(context, operation))


def undo(context: Context, operation: Operation) -> Progress:
    """One call's worth of undo; finished when nothing is `waiting`. Raises what AWS raises."""
    progress = Progress()
    _swap_back(context, operation, progress)
    if not progress.waiting:  # nothing may be deleted while names are still moving
        _remove_cluster(context, operation, progress)
        _remove_copies(context, operation, progress)
    if not progress.waiting:  # there may be no room for two clusters
        bring_back(context, operation, progress)
    return progress


def _all_done(context: Context, operation: Operation) -> bool:
    moves, _ = journalled(operation)
    try:
        return decide(moves, world(context.rds.list_clusters(), context.rds.list_instances())).done
    except (NameTaken, SwapFailed):
        return False


def _swap_back(context: Context, operation: Operation, progress: Progress) -> None:
    moves, phase = journalled(operation)
    if not moves or phase == "undone":
        return
    if phase == "intended":  # from here on the swap can only go back, whatever the names look like
        swap_clusters.journal(context, operation.operation_id, moves, "undoing")
    decision = swap_clusters.advance(context, backwards(_still_there(context, operation, moves)))
    if decision.done:
        swap_clusters.journal(context, operation.operation_id, moves, "undone")
        progress.undone.append("the names were put back")
    else:
        progress.waiting.append(decision.reason)
        progress.away = True


def _still_there(context: Context, operation: Operation, moves: list[Move]) -> list[Move]:
    """Without what the operation had restored and somebody removed: the target gets its names back all the same."""
    restored = operation.entry(restore_snapshot.STEP).get("cluster_id", "")
    existing = {thing.resource_id for thing in world(context.rds.list_clusters(), context.rds.list_instances())}
    return [
        move
        for move in moves
        if move.resource_id in existing or not (move.old == restored or move.old.startswith(f"{restored}-"))
    ]


def _remove_cluster(context: Context, operation: Operation, progress: Progress) -> None:
    """The operation's own cluster, by the name it journalled, and its instances: only what carries its own tag."""
    cluster_id = operation.entry(restore_snapshot.STEP).get("cluster_id")
    if not cluster_id:
        return
    instances = [item for item in context.rds.cluster_instances(cluster_id) if _own(context, item.tags, operation)]
    for instance in instances:
        if instance.status != "deleting":
            progress.delete(partial(context.rds.delete_instance, instance.instance_id), instance.instance_id)
        else:
            progress.waiting.append(f"instance {instance.instance_id} is deleting")
    cluster = context.rds.find_cluster(cluster_id)
    if cluster is None:
        progress.undone.append(f"cluster {cluster_id} was removed")
    elif not _own(context, cluster.tags, operation):
        context.logger.warning("not ours, left alone", extra={"cluster": cluster_id})
    elif cluster.status == "deleting":
        progress.waiting.append(f"cluster {cluster_id} is deleting")
    else:
        if cluster.deletion_protection:
            context.rds.modify_cluster(cluster_id, DeletionProtection=False)
        progress.delete(partial(context.rds.delete_cluster, cluster_id), cluster_id)


def _remove_copies(context: Context, operation: Operation, progress: Progress) -> None:
    """Every copy that the operation may have made, each in its region: only what carries its own tag."""
    for region, snapshot_id in copy_snapshot.journalled(operation.entry(copy_snapshot.STEP)):
        rds = context.rds_in(region)
        name = snapshot_id if region == context.settings.region else f"{snapshot_id} in {region}"
        copy = rds.find_snapshot(snapshot_id)
        if copy is None:
            progress.undone.append(f"snapshot copy {name} was removed")
        elif _own(context, copy.tags, operation):
            progress.delete(partial(rds.delete_snapshot, snapshot_id), name)
        else:
            context.logger.warning("not ours, left alone", extra={"snapshot": snapshot_id, "region": region})


def _own(context: Context, tags: Mapping[str, str], operation: Operation) -> bool:
    return tags.get(context.settings.operation_tag) == operation.operation_id

"""RemoveTarget: for the strategy `replace`, the target goes before the restore, after a final snapshot of it.

One step a call, each in the journal before it is made: the snapshot, which must be there and whole before anything else
is touched; then the instances; then the cluster. The journal holds all it takes to make the target again
(`bringing_back.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from aurora_restore.aws.rds_types import Cluster, Instance, Snapshot
from aurora_restore.context import Context
from aurora_restore.errors import (
    FinalSnapshotFailed,
    NameTaken,
    ResourceBusy,
    ResourceExists,
    ResourceMissing,
    TargetNotAvailable,
    TargetNotFound,
)
from aurora_restore.planning import guards, mirror
from aurora_restore.removal import STEP, Phase, Removal, removal
from aurora_restore.steps.progress import finished, require_lock, waiting
from aurora_restore.steps.restore_snapshot import require_source


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """The next step of the removal; `done` when nothing holds the target's names any more.

    Raises TargetNotFound, TargetNotAllowed, FinalSnapshotFailed, SourceVanished, NameTaken, WaitTimedOut.
    """
    plan = document["plan"]
    require_lock(context, plan)
    before = document.get("removal", {})
    since = int(before.get("since", context.now()))
    status = _advance(context, plan)
    final = plan["replace"]["final_snapshot"]
    seen = {"status": status or f"{plan['target']['cluster']} is gone", "final_snapshot": final}
    if not status:
        audit = {"removed": plan["target"]["cluster"], "final_snapshot": final}
        return {**seen, "audit": audit, **finished(context, since)}
    # Each step is a wait of its own: counted from the first, the looks at the last would come ever later.
    moved = int(before["moved"]) if before.get("status") == status else context.now()
    pause = waiting(context, plan, f"the removal of the target: {status}", since=moved)
    return {**seen, **pause, "since": since, "moved": moved}


def _advance(context: Context, plan: Mapping[str, Any]) -> str:
    """Make the next step; what to wait for, or nothing at the end."""
    found = removal(context.store.read(plan["operation_id"]))
    if found.phase is Phase.MADE:
        return ""
    target = context.rds.find_cluster(plan["target"]["cluster"])
    same = target is not None and target.resource_id == plan["target"]["cluster_resource_id"]
    if found.phase is Phase.CLUSTER and (target is None or not same or target.status == "deleting"):
        return _last_names(context, plan, found, target if same else None)
    if target is None or not same:
        raise TargetNotFound(
            f"Cluster {plan['target']['cluster']} is not the one that was planned with any more.",
            remedy="Find out who removed or renamed it, then start a new operation.",
        )
    guards.require_opt_in(context.settings, target)
    instances = guards.own_instances(target, context.rds.cluster_instances(target.cluster_id))
    try:
        if found.phase is Phase.NONE:
            found = _begin(context, plan, target, instances)
        return _safeguard(context, plan, found, target) or _remove(context, plan, target, instances)
    except TargetNotAvailable as error:  # it was at rest when it was planned with: maintenance ends
        return error.message
    except (ResourceBusy, ResourceMissing) as error:  # the world moved since we looked: again after the wait
        return f"cluster {target.cluster_id} is busy ({error.aws_code})"


def _begin(context: Context, plan: Mapping[str, Any], target: Cluster, instances: Sequence[Instance]) -> Removal:
    """The target as it is now goes into the journal: hours may have passed since it was planned with."""
    guards.require_rest(target, instances)
    final = plan["replace"]["final_snapshot"]
    way_back = mirror.mirror_back(context.settings, plan["operation_id"], target, instances, final)
    entry = {"cluster_resource_id": target.resource_id, "final_snapshot": final, "way_back": way_back}
    context.store.journal(plan["operation_id"], STEP, {**entry, "phase": Phase.SNAPSHOT.value})
    return Removal(Phase.SNAPSHOT, target.resource_id, final, way_back)


def _safeguard(context: Context, plan: Mapping[str, Any], found: Removal, target: Cluster) -> str:
    """The final snapshot is there and whole, and so is what is to be restored; what to wait for, or nothing."""
    snapshot = context.rds.find_snapshot(found.snapshot_id)
    if snapshot is None:
        if found.began:
            raise FinalSnapshotFailed(f"The final snapshot {found.snapshot_id} vanished.")
        tags = {context.settings.operation_tag: plan["operation_id"]}
        with suppress(ResourceExists):  # a call whose answer was lost, or somebody else's: the next look tells
            context.rds.create_snapshot(found.snapshot_id, target.cluster_id, tags)
        return f"snapshot {found.snapshot_id} is being made"
    _require_whole(context, plan, snapshot, target)
    if snapshot.status != "available":
        return f"snapshot {snapshot.snapshot_id} is {snapshot.status}"
    if not found.began:
        require_source(context, plan)
        _journal(context, plan, Phase.INSTANCES)
    return ""


def _require_whole(context: Context, plan: Mapping[str, Any], snapshot: Snapshot, target: Cluster) -> None:
    """The snapshot is this operation's and of this very cluster, and can still become available."""
    settings, mine = context.settings, plan["operation_id"]
    if mine not in (snapshot.tags.get(settings.operation_tag), snapshot.tags.get(settings.replaced_tag)):
        raise FinalSnapshotFailed(f"Snapshot {snapshot.snapshot_id} exists and was not made by operation {mine}.")
    if snapshot.cluster_resource_id not in (None, target.resource_id) or snapshot.cluster_id != target.cluster_id:
        raise FinalSnapshotFailed(f"Snapshot {snapshot.snapshot_id} is not of cluster {target.resource_id}.")
    if snapshot.status not in ("creating", "available"):
        raise FinalSnapshotFailed(f"The final snapshot {snapshot.snapshot_id} is {snapshot.status}.")


def _remove(context: Context, plan: Mapping[str, Any], target: Cluster, instances: Sequence[Instance]) -> str:
    """Protection off, instances marked, instances deleted, cluster deleted: the first of these that is not done yet."""
    settings, mine, rds = context.settings, plan["operation_id"], context.rds
    if target.status != "available":
        return f"cluster {target.cluster_id} is {target.status}"
    if target.deletion_protection:
        rds.modify_cluster(target.cluster_id, DeletionProtection=False)
        return f"cluster {target.cluster_id} is no longer protected"
    unmarked = [item for item in instances if item.tags.get(settings.replaced_tag) != mine]
    for instance in unmarked:  # the role may delete only what carries this mark
        rds.add_tags(instance.arn, {settings.replaced_tag: mine})
    if unmarked:
        return f"instances of {target.cluster_id} are marked"
    for instance in reversed(instances):  # AUG, "Deleting an Aurora DB cluster": readers first
        if instance.status != "deleting":
            rds.delete_instance(instance.instance_id)
    if instances:
        return f"instances of {target.cluster_id} are being deleted"
    _hand_over(context, plan)
    _journal(context, plan, Phase.CLUSTER)
    rds.delete_cluster(target.cluster_id)
    return f"cluster {target.cluster_id} is being deleted"


def _hand_over(context: Context, plan: Mapping[str, Any]) -> None:
    """From here on the snapshot is all there is of the target, and not the operation's own: no undo deletes it."""
    settings, mine = context.settings, plan["operation_id"]
    snapshot = context.rds.find_snapshot(plan["replace"]["final_snapshot"])
    if snapshot is None:
        raise FinalSnapshotFailed(f"The final snapshot {plan['replace']['final_snapshot']} vanished.")
    if snapshot.tags.get(settings.replaced_tag) != mine:
        context.rds.add_tags(snapshot.arn, {settings.replaced_tag: mine})
    if settings.operation_tag in snapshot.tags:
        context.rds.remove_tags(snapshot.arn, [settings.operation_tag])


def _last_names(context: Context, plan: Mapping[str, Any], found: Removal, target: Cluster | None) -> str:
    """The cluster is going or gone: the restored one needs its name and those of its instances."""
    if target:
        return f"cluster {target.cluster_id} is being deleted"
    if context.rds.find_cluster(plan["target"]["cluster"]):
        raise NameTaken(f"Somebody made another cluster {plan['target']['cluster']} while the target was removed.")
    names = {instance["id"] for instance in found.way_back["instances"]}
    held = sorted(item.instance_id for item in context.rds.list_instances() if item.instance_id in names)
    if held:
        return f"the names of {', '.join(held)} are not free yet"
    _journal(context, plan, Phase.MADE)
    return ""


def _journal(context: Context, plan: Mapping[str, Any], phase: Phase) -> None:
    operation = context.store.read(plan["operation_id"])
    entry = operation.entry(STEP) if operation else {}
    context.store.journal(plan["operation_id"], STEP, {**entry, "phase": phase.value})

"""The swap of names as pure functions: an ordered list of renames, and which of them to make in the world as it is.

Clusters and instances are told apart by the resource ids that a rename does not change, so that the same list serves to
go on after a kill, and backwards to undo.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import Any

from aurora_restore import identifiers
from aurora_restore.aws.rds_types import Cluster, Instance
from aurora_restore.document import removes_target
from aurora_restore.errors import NameTaken, SwapFailed
from aurora_restore.store import Operation

STEP = "SwapClusters"
MADE = "made"


class Kind(StrEnum):
    CLUSTER = "cluster"
    INSTANCE = "instance"


@dataclass(frozen=True)
class Move:
    """One rename: the resource `resource_id` goes from the name `old` to the name `new`."""

    kind: Kind
    resource_id: str
    old: str
    new: str

    def as_plain(self) -> dict[str, str]:
        return {key: str(value) for key, value in asdict(self).items()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Move:
        return cls(Kind(plain["kind"]), plain["resource_id"], plain["old"], plain["new"])


@dataclass(frozen=True)
class Thing:
    """A cluster or instance as it is now."""

    kind: Kind
    resource_id: str
    name: str
    status: str


@dataclass(frozen=True)
class Decision:
    """Rename all of `moves` now, wait for those `under_way`, or nothing is left to do (`done`)."""

    moves: tuple[Move, ...]
    under_way: tuple[Move, ...]
    done: bool
    completed: int
    reason: str


def journalled(operation: Operation | None) -> tuple[list[Move], str]:
    """The moves and the phase (`intended`, `made`, or empty) of an operation's swap."""
    entry = operation.entry(STEP) if operation else {}
    return [Move.from_plain(move) for move in entry.get("moves", [])], str(entry.get("phase", ""))


def plan_moves(plan: Mapping[str, Any], restored_resource_id: str, restored: Sequence[Instance]) -> list[Move]:
    """All renames of a swap, in order.

    An instance reboots when it is renamed. So the old instances make room and the new ones take their names first,
    while the new cluster does not serve yet; then the endpoint changes hands with two renames, and nothing reboots any
    more. The target is out of service from the first rename on: `decide` makes all at once that need not wait.
    """
    target, operation_id = plan["target"]["cluster"], plan["operation_id"]
    by_name = {instance.instance_id: instance.resource_id for instance in restored}
    missing = [planned["id"] for planned in plan["instances"] if planned["id"] not in by_name]
    if missing:
        raise SwapFailed(f"The new cluster lacks the instances {', '.join(missing)}.")
    removed = removes_target(plan)  # then its names are free
    old_instances = [
        Move(Kind.INSTANCE, item["resource_id"], item["id"], identifiers.old_instance(target, operation_id, number))
        for number, item in enumerate(plan["target"]["instances"], start=1)
        if not removed
    ]
    new_instances = [
        Move(Kind.INSTANCE, by_name[planned["id"]], planned["id"], planned["replaces"])
        for planned in plan["instances"]
        if planned["replaces"]
    ]
    old_cluster = Move(Kind.CLUSTER, plan["target"]["cluster_resource_id"], target, plan["swap"]["old_cluster_id"])
    new_cluster = Move(Kind.CLUSTER, restored_resource_id, plan["restore"]["cluster_id"], target)
    return [*old_instances, *new_instances, *([] if removed else [old_cluster]), new_cluster]


def backwards(moves: Iterable[Move]) -> list[Move]:
    """The renames that undo `moves`, whichever of them were done."""
    return [replace(move, old=move.new, new=move.old) for move in reversed(list(moves))]


def world(clusters: Iterable[Cluster], instances: Iterable[Instance]) -> list[Thing]:
    """Everything whose name could matter."""
    return [
        *(Thing(Kind.CLUSTER, item.resource_id, item.cluster_id, item.status) for item in clusters),
        *(Thing(Kind.INSTANCE, item.resource_id, item.instance_id, item.status) for item in instances),
    ]


def decide(moves: Sequence[Move], things: Iterable[Thing]) -> Decision:
    """The renames that can be made now: of one kind at a time, and of that kind every one whose name is free.

    Moves of one kind that follow each other go together; those of the next kind begin when all of them are through. A
    name is free when the move that leaves it is through: what was turned back on its way to a name shows its other one.

    While RDS renames, the resource shows its old name and a status other than `available`; right afterwards it may show
    the new name and still not be available. Raises SwapFailed if a resource vanished or bears a third name, NameTaken
    if something outside the swap holds a name that is needed.
    """
    things = list(things)
    by_id = {(thing.kind, thing.resource_id): thing for thing in things}
    by_name = {(thing.kind, thing.name): thing for thing in things}
    completed = 0
    for _, group in groupby(moves, key=lambda move: move.kind):
        found = [(move, _thing(move, by_id)) for move in group]
        left = [(move, thing) for move, thing in found if (thing.name, thing.status) != (move.new, "available")]
        completed += len(found) - len(left)
        if left:
            busy = [(move, thing) for move, thing in left if thing.status != "available"]
            awaited = {move.old for move, _ in left}
            still = [move for move, thing in left if thing.status == "available" and move.new not in awaited]
            ready = tuple(_require_free(move, by_name) for move in still)
            reason = _briefly(
                [f"{move.kind} {move.old} becomes {move.new}" for move in ready]
                or [f"{thing.kind} {thing.name} is {thing.status}" for _, thing in busy or left]
            )
            return Decision(ready, tuple(move for move, _ in busy), False, completed, reason)
    return Decision((), (), True, completed, "all names are in place")


def _thing(move: Move, by_id: Mapping[tuple[Kind, str], Thing]) -> Thing:
    thing = by_id.get((move.kind, move.resource_id))
    if thing is None:
        raise SwapFailed(f"The {move.kind} {move.resource_id}, last known as {move.old}, does not exist any more.")
    if thing.name not in (move.old, move.new):
        raise SwapFailed(f"The {move.kind} {move.resource_id} is called {thing.name}, not {move.old} or {move.new}.")
    return thing


def _require_free(move: Move, by_name: Mapping[tuple[Kind, str], Thing]) -> Move:
    holder = by_name.get((move.kind, move.new))
    if holder:
        raise NameTaken(f"The name {move.new} is held by {move.kind} {holder.resource_id}, no part of the swap.")
    return move


def _briefly(texts: Sequence[str]) -> str:
    """The first of several, and how many more there are: a line of the runbook."""
    return texts[0] if len(texts) == 1 else f"{texts[0]}, and {len(texts) - 1} more"

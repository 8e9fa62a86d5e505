"""The swap of names as pure functions: an ordered list of renames, and what to do next in the world as it is.

Clusters and instances are told apart by the resource ids that a rename does not change, so that the same list serves to
go on after a kill, and backwards to undo.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from aurora_restore import identifiers
from aurora_restore.aws.rds_types import Cluster, Instance
from aurora_restore.document import removes_target
from aurora_restore.errors import NameTaken, SwapFailed


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
    """Rename `move`, or wait (`move` None), or nothing left to do (`done`)."""

    move: Move | None
    done: bool
    completed: int
    reason: str


def plan_moves(plan: Mapping[str, Any], restored_resource_id: str, restored: Sequence[Instance]) -> list[Move]:
    """All renames of a swap, in order.

    An instance reboots when it is renamed. So the old instances make room and the new ones take their names first,
    while the new cluster does not serve yet; then the endpoint changes hands with two renames, and nothing reboots any
    more.
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
    """The next rename, one at a time and strictly in order.

    While RDS renames, the resource shows its old name and a status other than `available`; right afterwards it may show
    the new name and still not be available. Raises SwapFailed if a resource vanished or bears a third name, NameTaken
    if something outside the swap holds a name that is needed.
    """
    things = list(things)
    by_id = {(thing.kind, thing.resource_id): thing for thing in things}
    by_name = {(thing.kind, thing.name): thing for thing in things}
    for number, move in enumerate(moves):
        thing = by_id.get((move.kind, move.resource_id))
        if thing is None:
            raise SwapFailed(f"The {move.kind} {move.resource_id}, last known as {move.old}, does not exist any more.")
        if thing.name not in (move.old, move.new):
            raise SwapFailed(
                f"The {move.kind} {move.resource_id} is called {thing.name}, not {move.old} or {move.new}."
            )
        if thing.status != "available":
            return Decision(None, False, number, f"{move.kind} {thing.name} is {thing.status}")
        if thing.name == move.new:
            continue
        holder = by_name.get((move.kind, move.new))
        if holder is None:
            return Decision(move, False, number, f"{move.kind} {move.old} becomes {move.new}")
        if not any((holder.kind, holder.resource_id) == (other.kind, other.resource_id) for other in moves):
            raise NameTaken(f"The name {move.new} is held by {move.kind} {holder.resource_id}, no part of the swap.")
        return Decision(None, False, number, f"{move.kind} {holder.name} still holds the name")
    return Decision(None, True, len(moves), "all names are in place")

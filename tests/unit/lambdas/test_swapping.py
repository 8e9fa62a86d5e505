"""The swap as pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest

from aurora_restore.errors import NameTaken, SwapFailed
from aurora_restore.swapping import Kind, Move, Thing, backwards, decide

MOVES = [
    Move(Kind.INSTANCE, "db-old", "t-1", "t-old-op-1"),
    Move(Kind.INSTANCE, "db-new", "t-op-1", "t-1"),
    Move(Kind.CLUSTER, "cluster-old", "t", "t-old-op"),
    Move(Kind.CLUSTER, "cluster-new", "t-op", "t"),
]
MORE = [
    *(Move(Kind.INSTANCE, f"db-old-{number}", f"t-{number}", f"t-old-op-{number}") for number in (1, 2)),
    *(Move(Kind.INSTANCE, f"db-new-{number}", f"t-op-{number}", f"t-{number}") for number in (1, 2)),
    *MOVES[2:],
]


def at_rest(done: int, moves: list[Move] = MOVES) -> list[Thing]:
    """The world after the first `done` moves."""
    return [
        Thing(move.kind, move.resource_id, move.new if number < done else move.old, "available")
        for number, move in enumerate(moves)
    ]


def change(things: list[Thing], resource_id: str, **changes: str) -> list[Thing]:
    return [replace(thing, **changes) if thing.resource_id == resource_id else thing for thing in things]


@pytest.mark.parametrize("done", range(len(MOVES)))
def test_the_next_move_follows_from_the_world(done: int) -> None:
    decision = decide(MOVES, at_rest(done))
    assert (decision.moves, decision.done, decision.completed) == ((MOVES[done],), False, done)


def test_all_names_in_place_is_done() -> None:
    decision = decide(MOVES, at_rest(len(MOVES)))
    assert (decision.moves, decision.done) == ((), True)


@pytest.mark.parametrize("done", range(len(MOVES) + 1))
def test_backwards_leads_from_anywhere_to_the_beginning(done: int) -> None:
    things, moves = at_rest(done), backwards(MOVES)
    for _ in range(done):
        (move,) = decide(moves, things).moves
        things = change(things, move.resource_id, name=move.new)
    assert decide(moves, things).done
    assert things == at_rest(0)


@pytest.mark.parametrize("status", ["renaming", "modifying", "rebooting"])
def test_a_resource_that_is_not_available_is_waited_for(status: str) -> None:
    for name in ("t-1", "t-old-op-1"):
        decision = decide(MOVES, change(at_rest(0), "db-old", name=name, status=status))
        assert (decision.moves, decision.under_way, decision.done) == ((), (MOVES[0],), False)
        assert decision.reason == f"instance {name} is {status}"


def test_all_old_instances_make_room_at_once() -> None:
    decision = decide(MORE, at_rest(0, MORE))
    assert decision.moves == tuple(MORE[:2])
    assert decision.reason == "instance t-1 becomes t-old-op-1, and 1 more"


def test_a_new_instance_takes_its_name_as_soon_as_that_is_free() -> None:
    things = change(at_rest(1, MORE), "db-old-2", status="renaming")
    decision = decide(MORE, things)
    assert (decision.moves, decision.under_way, decision.completed) == ((MORE[2],), (MORE[1],), 1)


def test_what_was_turned_back_on_its_way_to_a_name_is_waited_for() -> None:
    """It shows the name that it left, and may have the other one yet."""
    things = change(at_rest(2, MORE), "db-new-1", status="renaming")
    decision = decide(backwards(MORE), things)
    assert (decision.moves, [move.resource_id for move in decision.under_way]) == (
        (backwards(MORE)[4],),
        ["db-new-1"],
    )


def test_a_name_that_an_outsider_holds_ends_the_swap() -> None:
    outsider = Thing(Kind.CLUSTER, "cluster-x", "t-old-op", "available")
    with pytest.raises(NameTaken, match="cluster-x"):
        decide(MOVES, [*at_rest(2), outsider])


def test_a_cluster_may_share_its_name_with_an_instance() -> None:
    namesake = Thing(Kind.INSTANCE, "db-x", "t-old-op", "available")
    assert decide(MOVES, [*at_rest(2), namesake]).moves == (MOVES[2],)


@pytest.mark.parametrize("things", [at_rest(0)[1:], change(at_rest(0), "db-old", name="third-name")])
def test_what_vanished_or_bears_a_third_name_ends_the_swap(things: list[Thing]) -> None:
    with pytest.raises(SwapFailed):
        decide(MOVES, things)


def test_a_move_survives_the_journal() -> None:
    assert [Move.from_plain(move.as_plain()) for move in MOVES] == MOVES


class State(NamedTuple):
    """What one resource is called, what it is going to be called, and whether RDS calls it available."""

    name: str
    goal: str
    available: bool


World = tuple[State, ...]


def seen(world: World) -> list[Thing]:
    return [
        Thing(move.kind, move.resource_id, state.name, "available" if state.available else "renaming")
        for move, state in zip(MORE, world, strict=True)
    ]


def next_worlds(world: World, moves: list[Move]) -> Iterator[World]:
    """One rename made, for a call may die after any and RDS may refuse any; or RDS one step further with one."""
    goals = {move.resource_id: move.new for move in decide(moves, seen(world)).moves}
    for number, (move, state) in enumerate(zip(MORE, world, strict=True)):
        if move.resource_id in goals:
            yield (*world[:number], State(state.name, goals[move.resource_id], available=False), *world[number + 1 :])
        elif not state.available:
            further = State(state.goal, state.goal, available=state.name == state.goal)
            yield (*world[:number], further, *world[number + 1 :])


def all_worlds(begin: World, moves: list[Move], known: set[World]) -> Iterator[World]:
    """Every world that can come after `begin`, itself too, but for those that are `known`; they are added to it."""
    open_ends = [begin]
    while open_ends:
        world = open_ends.pop()
        if world not in known:
            known.add(world)
            yield world
            open_ends += next_worlds(world, moves)


def require_order(world: World, moves: list[Move]) -> None:
    for kind in Kind:
        claims = [{state.name, state.goal} for move, state in zip(MORE, world, strict=True) if move.kind is kind]
        assert sum(map(len, claims)) == len(set().union(*claims)), f"two owners of one name: {world}"
    decision = decide(moves, seen(world))
    if decision.done:
        assert {(thing.resource_id, thing.name) for thing in seen(world)} == {
            (move.resource_id, move.new) for move in moves
        }
    else:
        assert decision.moves or decision.under_way, f"stuck: {world}"


def test_no_order_of_events_gives_a_name_two_owners_or_gets_stuck_forwards_or_turned_back_anywhere() -> None:
    begin = tuple(State(move.old, move.old, available=True) for move in MORE)
    forwards = list(all_worlds(begin, MORE, set()))
    assert len(forwards) == 7 * 7 + 6  # of each pair of instances, then of the two clusters
    known: set[World] = set()
    for world in forwards:
        require_order(world, MORE)
        swapping = [state.name != move.old or state.goal != move.old for move, state in zip(MORE, world, strict=True)]
        assert not any(swapping[4:]) or decide(MORE, seen(world)).completed >= 4
        for turned in all_worlds(world, backwards(MORE), known):
            require_order(turned, backwards(MORE))
    assert begin in known

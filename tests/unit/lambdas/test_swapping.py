"""The swap as pure functions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aurora_restore.errors import NameTaken, SwapFailed
from aurora_restore.swapping import Kind, Move, Thing, backwards, decide

MOVES = [
    Move(Kind.INSTANCE, "db-old", "t-1", "t-old-op-1"),
    Move(Kind.INSTANCE, "db-new", "t-op-1", "t-1"),
    Move(Kind.CLUSTER, "cluster-old", "t", "t-old-op"),
    Move(Kind.CLUSTER, "cluster-new", "t-op", "t"),
]


def at_rest(done: int) -> list[Thing]:
    """The world after the first `done` moves."""
    return [
        Thing(move.kind, move.resource_id, move.new if number < done else move.old, "available")
        for number, move in enumerate(MOVES)
    ]


def change(things: list[Thing], resource_id: str, **changes: str) -> list[Thing]:
    return [replace(thing, **changes) if thing.resource_id == resource_id else thing for thing in things]


@pytest.mark.parametrize("done", range(len(MOVES)))
def test_the_next_move_follows_from_the_world(done: int) -> None:
    decision = decide(MOVES, at_rest(done))
    assert (decision.move, decision.done, decision.completed) == (MOVES[done], False, done)


def test_all_names_in_place_is_done() -> None:
    decision = decide(MOVES, at_rest(len(MOVES)))
    assert (decision.move, decision.done) == (None, True)


@pytest.mark.parametrize("done", range(len(MOVES) + 1))
def test_backwards_leads_from_anywhere_to_the_beginning(done: int) -> None:
    things, moves = at_rest(done), backwards(MOVES)
    for _ in range(done):
        move = decide(moves, things).move
        assert move is not None
        things = change(things, move.resource_id, name=move.new)
    assert decide(moves, things).done
    assert things == at_rest(0)


@pytest.mark.parametrize("status", ["renaming", "modifying", "rebooting"])
def test_a_resource_that_is_not_available_is_waited_for(status: str) -> None:
    for name in ("t-1", "t-old-op-1"):
        decision = decide(MOVES, change(at_rest(0), "db-old", name=name, status=status))
        assert (decision.move, decision.done) == (None, False)


def test_a_name_that_a_part_of_the_swap_still_holds_is_waited_for() -> None:
    decision = decide(MOVES[1:], at_rest(0)[1:])
    assert decision.move == MOVES[1]
    held = decide([MOVES[1], MOVES[0]], at_rest(0))
    assert (held.move, held.done) == (None, False)


def test_a_name_that_an_outsider_holds_ends_the_swap() -> None:
    outsider = Thing(Kind.CLUSTER, "cluster-x", "t-old-op", "available")
    with pytest.raises(NameTaken, match="cluster-x"):
        decide(MOVES, [*at_rest(2), outsider])


def test_a_cluster_may_share_its_name_with_an_instance() -> None:
    namesake = Thing(Kind.INSTANCE, "db-x", "t-old-op", "available")
    assert decide(MOVES, [*at_rest(2), namesake]).move == MOVES[2]


@pytest.mark.parametrize("things", [at_rest(0)[1:], change(at_rest(0), "db-old", name="third-name")])
def test_what_vanished_or_bears_a_third_name_ends_the_swap(things: list[Thing]) -> None:
    with pytest.raises(SwapFailed):
        decide(MOVES, things)


def test_a_move_survives_the_journal() -> None:
    assert [Move.from_plain(move.as_plain()) for move in MOVES] == MOVES

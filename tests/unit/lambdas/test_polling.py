"""The one function that decides how long to wait."""

from __future__ import annotations

import pytest

from aurora_restore.polling import LONGEST, SHORTEST, wait_seconds

HOUR = 3600
STATES_PER_POLL = 3  # Wait, Task, Choice


def polls(duration: int, percent: bool = False, expected: int | None = None) -> tuple[int, int]:
    """How often a wait of this duration looks, and how late it sees the end (seconds)."""
    elapsed = count = 0
    while elapsed < duration:
        done = min(99, elapsed * 100 // duration) if percent else None
        elapsed += wait_seconds(elapsed=elapsed, remaining=10**9, percent=done, expected=expected)
        count += 1
    return count, elapsed - duration


@pytest.mark.parametrize("duration", [600, HOUR, 6 * HOUR, 24 * HOUR])
@pytest.mark.parametrize("percent", [False, True])
def test_the_mean_lag_stays_under_five_percent(duration: int, percent: bool) -> None:
    durations = range(duration, duration * 2, duration // 50)
    lags = [polls(each, percent)[1] / each for each in durations]
    assert sum(lags) / len(lags) < 0.05


@pytest.mark.parametrize("percent", [False, True])
def test_a_day_takes_under_four_hundred_transitions(percent: bool) -> None:
    assert polls(24 * HOUR, percent)[0] * STATES_PER_POLL < 400


def test_a_known_duration_is_hit_more_closely_than_an_unknown_one() -> None:
    known = [polls(duration, expected=duration)[1] for duration in range(1200, 7200, 111)]
    unknown = [polls(duration)[1] for duration in range(1200, 7200, 111)]
    assert sum(known) < sum(unknown) / 2


def test_an_estimate_that_is_stuck_does_not_poll_at_the_shortest_wait_for_hours() -> None:
    assert wait_seconds(elapsed=2 * HOUR, remaining=10**6, percent=99) > 10 * SHORTEST


@pytest.mark.parametrize("elapsed", [0, 10, HOUR, 100 * HOUR])
@pytest.mark.parametrize("percent", [None, 0, 1, 50, 100])
def test_a_wait_keeps_its_bounds(elapsed: int, percent: int | None) -> None:
    assert SHORTEST <= wait_seconds(elapsed=elapsed, remaining=10**6, percent=percent) <= LONGEST
    assert wait_seconds(elapsed=elapsed, remaining=3, percent=percent) == 3


def test_a_history_that_is_overrun_counts_as_none() -> None:
    assert wait_seconds(elapsed=1000, remaining=10**6, expected=900) == wait_seconds(elapsed=1000, remaining=10**6)


def test_no_look_comes_before_the_wait_can_be_over() -> None:
    assert wait_seconds(elapsed=0, remaining=10**6, earliest=90) == 90
    assert wait_seconds(elapsed=40, remaining=10**6, earliest=90) == 50
    assert wait_seconds(elapsed=90, remaining=10**6, earliest=90) == wait_seconds(elapsed=90, remaining=10**6)
    assert wait_seconds(elapsed=0, remaining=10**6, earliest=90, expected=1000) == 600

"""How long to wait before looking again: the one place that decides it."""

from __future__ import annotations

SHORTEST = 5
LONGEST = 7200  # what fails on the way, or loses its lock, is seen within two hours
SHARE = 0.0915  # of the time waited so far: the mean lag is half of that, and the polls grow with log(time) only
FINEST = 0.03  # near its end a wait is polled more often, but an estimate that is stuck must not cost a poll every 5 s
COARSEST = 0.5  # an early estimate is rarely good: never wait on it for much longer than without
TRUSTED = 0.6  # of what earlier operations took: no look can find the end before that


def wait_seconds(
    *,
    elapsed: int,
    remaining: int,
    percent: int | None = None,
    expected: int | None = None,
    shortest: int = SHORTEST,
    earliest: int = 0,
) -> int:
    """Seconds until the next look.

    `elapsed` since the wait began; `remaining` until the deadline, never exceeded; `percent` as AWS reports it;
    `expected` seconds the whole wait took on earlier operations; `shortest` where seconds do not count; `earliest`
    seconds that such a wait takes at least. With an estimate the wait is half of what seems left.
    """
    left = _seconds_left(elapsed, percent, expected)
    pause = elapsed * SHARE if left is None else min(max(left / 2, elapsed * FINEST), elapsed * COARSEST)
    known = max(earliest, (expected or 0) * TRUSTED)
    pause = min(max(pause, shortest, known - elapsed), LONGEST)
    return max(1, min(round(pause), remaining))


def _seconds_left(elapsed: int, percent: int | None, expected: int | None) -> float | None:
    """An estimate from progress, else from history; None when there is neither or the history is overrun."""
    if percent:
        return elapsed * (100 - min(percent, 100)) / percent
    if expected is not None and expected > elapsed:
        return expected - elapsed
    return None

"""How the runbooks write times and durations: one way, everywhere."""

from __future__ import annotations

import datetime

UTC = datetime.UTC


def clock(seconds: float) -> str:
    """A running time as ``h:mm:ss``, the form of the first column of every followed line."""
    whole = max(0, int(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def duration(seconds: float) -> str:
    """A length of time as precise as a reader needs: ``0.4 s``, ``5 s``, ``42 s``, ``3 min 05 s``, ``2 h 07 min``."""
    if seconds < 10 and seconds != int(seconds):
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def moment(when: datetime.datetime) -> str:
    """A point in time in UTC, to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def parse_moment(text: str) -> datetime.datetime:
    """The point in time an ISO-8601 string of a table item names; one without an offset is UTC.

    :raises ValueError: the string is not ISO-8601.
    """
    when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return when if when.tzinfo else when.replace(tzinfo=UTC)

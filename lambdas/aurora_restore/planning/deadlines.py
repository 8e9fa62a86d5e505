"""How long an operation may wait, so that its undo still runs inside the state machine's timeout. All in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from aurora_restore.clock import parse_iso
from aurora_restore.settings import Settings

LONGEST_RESERVE = 900  # deleting instances and a cluster takes some ten minutes
LAST_CALLS = 60  # for the last notification and audit record


def deadline(settings: Settings, started_at: str) -> int:
    """Epoch seconds after which no step waits any longer: start + machine timeout - a reserve for the undo."""
    reserve = min(LONGEST_RESERVE, settings.state_machine_timeout_seconds // 4)
    return machine_end(settings, started_at) - reserve


def cleanup_deadline(settings: Settings, started_at: str) -> int:
    """Epoch seconds after which the undo stops waiting and reports what is left."""
    return machine_end(settings, started_at) - min(LAST_CALLS, settings.state_machine_timeout_seconds // 20)


def machine_end(settings: Settings, started_at: str) -> int:
    """Epoch seconds at which Step Functions ends the execution, without running any Catch."""
    return int(parse_iso(started_at).timestamp()) + settings.state_machine_timeout_seconds


def expected_seconds(history: Sequence[Mapping[str, int]], phase: str = "total") -> int | None:
    """The median of a target's earlier successes for one phase; None where nothing is known."""
    known = [entry[phase] for entry in history if phase in entry]
    return round(median(known)) if known else None

"""How long an operation may wait, so that its undo still runs inside the state machine's timeout. All in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from aurora_restore.clock import parse_iso
from aurora_restore.settings import Settings

LONGEST_RESERVE = 900  # deleting instances and a cluster takes some ten minutes
WAY_BACK = 1800  # making a cluster and its instances from a snapshot, where nothing is known about this target
LAST_CALLS = 60  # for the last notification and audit record


def deadline(settings: Settings, started_at: str, approval_seconds: int = 0, *, way_back_seconds: int = 0) -> int:
    """Epoch seconds after which no step waits any longer: the operation's end - a reserve for the undo.

    The undo of strategy `replace` also makes the target again, which takes `way_back_seconds`. It does not depend on
    that: where the time is over, the next clean-up goes on with it.
    """
    longest = settings.state_machine_timeout_seconds
    reserve = min(LONGEST_RESERVE + way_back_seconds, longest // (2 if way_back_seconds else 4))
    return operation_end(settings, started_at, approval_seconds) - reserve


def cleanup_deadline(settings: Settings, started_at: str, approval_seconds: int = 0) -> int:
    """Epoch seconds after which the undo stops waiting and reports what is left."""
    end = operation_end(settings, started_at, approval_seconds)
    return end - min(LAST_CALLS, settings.state_machine_timeout_seconds // 20)


def operation_end(settings: Settings, started_at: str, approval_seconds: int = 0) -> int:
    """Epoch seconds by which the operation must be over: start + what a restore may take + the wait for an approval.

    The wait has time of its own, so that a late approval leaves a restore as much time as one without. Step Functions
    ends the execution, without running any Catch, when both are used up to their longest.
    """
    return int(parse_iso(started_at).timestamp()) + settings.state_machine_timeout_seconds + approval_seconds


def approval_seconds(plan: Mapping[str, Any] | None) -> int:
    """How long the planned operation may wait for its approval; 0 without a plan, and where none is needed."""
    return int(plan["approval"]["expires_seconds"]) if plan and plan["approval"]["required"] else 0


def way_back_seconds(phases: Mapping[str, int | None]) -> int:
    """What making the target again may take: half as long again as earlier restores of it took."""
    known = [phases[name] for name in ("restore", "instances")]
    return round(1.5 * sum(seconds for seconds in known if seconds)) if all(known) else WAY_BACK


def expected_seconds(history: Sequence[Mapping[str, int]], phase: str = "total") -> int | None:
    """The median of a target's earlier successes for one phase; None where nothing is known."""
    known = [entry[phase] for entry in history if phase in entry]
    return round(median(known)) if known else None

"""Execution history -> lines an operator can read while it happens.

The events are those of the Step Functions API GetExecutionHistory (HistoryEvent). A function called by its ARN is
reported with ``LambdaFunction*`` events, one called through the Lambda integration with ``Task*`` events; both are
read here. The pipeline has no Parallel and no Map state, so the events of one execution are one sequence, and the
state that an event belongs to is the last one entered.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any

from aurora_deploy.runbook.results import unfinished, words
from aurora_deploy.runbook.text import UTC, clock, duration

#: Event types that end an execution, and the DescribeExecution status each stands for.
TERMINAL = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}
_ATTEMPT_STARTS = frozenset({"LambdaFunctionScheduled", "TaskScheduled"})
_ATTEMPT_FAILURES = {
    "LambdaFunctionFailed": "lambdaFunctionFailedEventDetails",
    "LambdaFunctionTimedOut": "lambdaFunctionTimedOutEventDetails",
    "LambdaFunctionScheduleFailed": "lambdaFunctionScheduleFailedEventDetails",
    "LambdaFunctionStartFailed": "lambdaFunctionStartFailedEventDetails",
    "TaskFailed": "taskFailedEventDetails",
    "TaskTimedOut": "taskTimedOutEventDetails",
    "TaskStartFailed": "taskStartFailedEventDetails",
    "TaskSubmitFailed": "taskSubmitFailedEventDetails",
}


@dataclasses.dataclass(frozen=True)
class Line:
    """One thing that happened: ``elapsed`` seconds into the execution, in ``state``."""

    elapsed: float
    state: str
    text: str
    bad: bool = False

    def __str__(self) -> str:
        return f"{clock(self.elapsed)}  {self.state:<20} {self.text}".rstrip()


def message_of(cause: str) -> str:
    """What a ``cause`` says in one line: Lambda's is a JSON object with ``errorMessage``, others are plain text."""
    try:
        parsed = json.loads(cause)
    except ValueError:
        return " ".join(cause.split())
    if isinstance(parsed, dict) and parsed.get("errorMessage"):
        return " ".join(str(parsed["errorMessage"]).split())
    return " ".join(cause.split())


def _document(details: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The execution document an event carries; empty where the API cut it off or it is no object."""
    try:
        parsed = json.loads(details.get(key) or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


class Narrator:
    """Turns the events of ONE execution, fed in order, into lines. Remembers only what the next line needs."""

    def __init__(self) -> None:
        self.started: datetime.datetime | None = None
        self.state = ""
        self.document: dict[str, Any] = {}
        self.status = ""
        self._entered: datetime.datetime | None = None
        self._attempts = 0
        self._failed = False
        self._last = ("", "")

    def feed(self, event: Mapping[str, Any]) -> Iterator[Line]:
        """The lines this event is worth: none for the engine's own bookkeeping."""
        kind: str = event["type"]
        when: datetime.datetime = event["timestamp"]
        if kind == "ExecutionStarted":
            self.started = when
        elif kind.endswith("StateEntered"):
            self._enter(event["stateEnteredEventDetails"], when)
            if self.state == "RequestApproval":
                yield self._line(when, _how_to_approve(self.document["plan"], when))
        elif kind in _ATTEMPT_STARTS:
            self._attempts += 1
            if self._attempts > 1:
                yield self._line(when, f"tries again (attempt {self._attempts})")
        elif kind in _ATTEMPT_FAILURES:
            self._failed = True
            yield self._failure(when, event.get(_ATTEMPT_FAILURES[kind]) or {}, kind)
        elif kind.endswith("StateExited"):
            yield from self._exit(kind, event["stateExitedEventDetails"], when)
        elif kind in TERMINAL:
            self.status = TERMINAL[kind]
            yield self._line(when, self.status.replace("_", " "), bad=self.status != "SUCCEEDED", state="execution")

    def elapsed(self, when: datetime.datetime) -> float:
        """Seconds from the start of the execution to ``when``."""
        return (when - self.started).total_seconds() if self.started else 0.0

    def _enter(self, details: Mapping[str, Any], when: datetime.datetime) -> None:
        self.state = details["name"]
        self.document = _document(details, "input") or self.document
        self._entered, self._attempts, self._failed = when, 0, False

    def _exit(self, kind: str, details: Mapping[str, Any], when: datetime.datetime) -> Iterator[Line]:
        before, self.document = self.document, _document(details, "output") or self.document
        if kind != "TaskStateExited":
            return  # Pass, Wait, Choice: the engine's own steps, of no interest to an operator
        changed = [
            value for key, value in self.document.items() if value != before.get(key) and isinstance(value, dict)
        ]
        if self._failed and self.document.get("error") != before.get("error"):
            yield self._line(when, "gives up; the pipeline cleans up after it", bad=True)
            return
        # A look that found nothing new leaves the document as it was: what is still not done is what it looked at.
        results = changed or [value for value in self.document.values() if unfinished(value)]
        text = (
            next(filter(None, map(words, results)), "")
            or f"done in {duration((when - (self._entered or when)).total_seconds())}"
        )
        if (self.state, text) != self._last:
            yield self._line(when, text)
        self._last = (self.state, text)
        expected = _expected_end(before, self.document, self.started)
        if expected:
            yield self._line(when, expected)

    def _failure(self, when: datetime.datetime, details: Mapping[str, Any], kind: str) -> Line:
        error = details.get("error") or kind
        cause = message_of(details.get("cause") or "")
        return self._line(when, f"{error}: {cause}" if cause else error, bad=True)

    def _line(self, when: datetime.datetime, text: str, *, bad: bool = False, state: str = "") -> Line:
        return Line(self.elapsed(when), state or self.state, text, bad)


def _how_to_approve(plan: Mapping[str, Any], when: datetime.datetime) -> str:
    """Until when somebody must decide, and with what."""
    end = (when + datetime.timedelta(seconds=plan["approval"]["expires_seconds"])).astimezone(UTC)
    decide = f"playbooks/approve.yml -e operation={plan['operation_id']} -e decision=approve|reject -e \"reason='...'\""
    return f"waits until {end:%Y-%m-%d %H:%M:%S} UTC for {decide}"


def _expected_end(before: Mapping[str, Any], after: Mapping[str, Any], started: datetime.datetime | None) -> str:
    """When the plan has just been made and knows how long restores of this target take: the time it should be over."""
    plan = after.get("plan") or {}
    seconds = plan.get("expected_seconds")
    if before.get("plan") == after.get("plan") or not isinstance(seconds, (int, float)) or started is None:
        return ""
    end = (started + datetime.timedelta(seconds=seconds)).astimezone(UTC)
    return f"expected to take {duration(seconds)}, until {end:%H:%M:%S} UTC"

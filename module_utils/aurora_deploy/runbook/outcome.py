"""How a restore ended -> what the operator is told: code, cause, remedy, what was undone, where to look."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from aurora_deploy.runbook.follow import Outcome
from aurora_deploy.runbook.history import message_of
from aurora_deploy.runbook.text import duration

#: The text of the pipeline's own errors: `[AR108] what happened Remedy: what to do`; what is not typed has no code.
_TYPED = re.compile(r"(?:\[(?P<code>AR\d{3})\] )?(?P<cause>.*?) Remedy: (?P<remedy>.*)", re.DOTALL)
#: The problems that SeveralProblems (AR112) lists: `2 problems: (1) AR105 ...; (2) AR304 ...`.
_SEVERAL = re.compile(r"(?:;|:) (?=\(\d+\) AR\d{3} )")
_ON_ITS_OWN_LINE = "\n         "
_ENDED_BY_AWS = {
    "TIMED_OUT": (
        "the execution ran into the state machine's TimeoutSeconds, and AWS runs no Catch on a time-out",
        "clean up with playbooks/abort.yml -e operation={operation}; raise state_machine_timeout_seconds and deploy",
    ),
    "ABORTED": (
        "the execution was stopped from outside, and AWS runs no Catch on that",
        "if playbooks/abort.yml did not stop it, run it now to clean up: -e operation={operation}",
    ),
}


@dataclasses.dataclass(frozen=True)
class Failure:
    """A failed execution in an operator's words. `error` is the error's class, `code` its stable code or empty."""

    error: str
    code: str
    cause: str
    remedy: str


def failure(outcome: Outcome, operation: str) -> Failure:
    """Return what is known about the failure of `operation`."""
    if outcome.status in _ENDED_BY_AWS:
        cause, remedy = _ENDED_BY_AWS[outcome.status]
        told = message_of(outcome.cause)
        cause = f"{cause} ({told})" if told else cause
        return Failure(outcome.error or outcome.status, "", cause, remedy.format(operation=operation))
    message = message_of(outcome.cause)
    typed = _TYPED.fullmatch(message)
    if typed:
        return Failure(outcome.error, typed["code"] or "", typed["cause"], typed["remedy"])
    return Failure(
        outcome.error or "unknown error", "", message or "AWS gave no cause", "read the log of the failed step"
    )


def undone(document: Mapping[str, Any]) -> list[str]:
    """Return what HandleFailure reports in `document["failure"]`: a line about each thing undone or left behind."""
    report = document.get("failure") or {}
    return [*report.get("undone", []), *(f"LEFT BEHIND: {thing}" for thing in report.get("left", []))]


def failure_text(outcome: Outcome, operation: str, where: str) -> str:
    """Return the message that ends a failed play. `where` names the places to look."""
    about = failure(outcome, operation)
    code = f" ({about.code})" if about.code else ""
    cleaned = undone(outcome.document) or ["nothing had to be undone"]
    if "failure" not in outcome.document:
        cleaned = [f"nothing: no clean-up ran. Run playbooks/abort.yml -e operation={operation}"]
    ended = f"The {kind(outcome)} {operation} ended {outcome.status} after {duration(outcome.seconds)}"
    return "\n".join(
        [
            f"{ended}: {about.error}{code}",
            f"Cause:   {_SEVERAL.sub(_ON_ITS_OWN_LINE, about.cause)}",
            f"Remedy:  {about.remedy}",
            *(f"{'Undone: ' if not number else '        '} {line}" for number, line in enumerate(cleaned)),
            f"Look at: {where}",
        ]
    )


def kind(outcome: Outcome) -> str:
    """Return what the operation is: a restore, or a rollback of one."""
    return "rollback" if "rolls_back" in (outcome.document.get("request") or {}) else "restore"


def summary(outcome: Outcome, operation: str) -> str:
    """Return the line that ends a successful play."""
    if outcome.document.get("plan", {}).get("dry_run"):
        return f"The plan of {operation} was made in {duration(outcome.seconds)}; nothing was changed."
    archive = outcome.document.get("archive") or {}
    old = archive.get("old_cluster_id")
    aside = "restored" if kind(outcome) == "rollback" else "old"
    kept = f" The {aside} cluster stands as {old} until {archive['expires_at']}." if old else ""
    if archive.get("final_snapshot"):
        kept = f" The target was removed first; snapshot {archive['final_snapshot']} holds what it had."
    return f"The {kind(outcome)} {operation} succeeded in {duration(outcome.seconds)}.{kept}"

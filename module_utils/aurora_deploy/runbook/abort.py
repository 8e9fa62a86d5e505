"""Abort an operation: stop its execution, then do the clean-up that AWS does not do for a stopped execution.

No Catch runs when an execution is stopped (StopExecution) or times out, so the pipeline's own `handle-failure`
function is invoked here with the operation's last document, again and again until it reports `done`, exactly as the
state machine does after a failure. Every part can be repeated: an abort that was itself interrupted is finished by
the next one.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from aurora_deploy.clients import Aws
from aurora_deploy.errors import DeployError
from aurora_deploy.runbook.execution import StateMachine, describe
from aurora_deploy.runbook.history import TERMINAL, message_of
from aurora_deploy.runbook.tables import audit_events
from aurora_deploy.runbook.text import duration, parse_moment

_ATTEMPT_RUNS = frozenset(
    {"LambdaFunctionScheduled", "LambdaFunctionStarted", "TaskScheduled", "TaskStarted", "TaskSubmitted"}
)
_HISTORY_TAIL = 100
_CLEANUP_STEP = "handle-failure"
_POLL_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class Position:
    """Where a stopped execution stood: its document, and the state whose function had not answered yet."""

    document: dict[str, Any]
    in_flight: str = ""
    since: datetime.datetime | None = None


@dataclasses.dataclass
class Abort:
    """Aborts one operation. `tell` prints a line, `now` and `sleep` are the clock."""

    aws: Aws
    machine: StateMachine
    operation: str
    cleanup_function: str
    audit_table: str
    tell: Callable[[str], None]
    now: Callable[[], datetime.datetime]
    sleep: Callable[[float], None]

    def found(self) -> dict[str, Any]:
        """Return DescribeExecution's answer.

        :raises DeployError: there is no such execution, or it ended in a way that leaves nothing to undo.
        """
        described = describe(self.aws, self.machine.execution_arn(self.operation))
        if described is None:
            raise DeployError(
                f"there is no operation {self.operation}. Fix: playbooks/status.yml lists the latest ones"
            )
        if described["status"] == "SUCCEEDED":
            raise DeployError(
                f"operation {self.operation} has succeeded and cannot be aborted; the old cluster still stands"
            )
        return described

    def run(self, cause: str) -> dict[str, Any]:
        """Stop the execution if it runs, undo what the operation did; returns `status`, `document`, `stopped`.

        :raises DeployError: the clean-up failed; the message says with what.
        """
        described = self.found()
        running = described["status"] == "RUNNING"
        if running:
            described = self._stop(cause)
        position = self._position(described)
        if position.document.get("failure", {}).get("done") is True:
            self.tell(f"ended {described['status']}, and the pipeline has cleaned up after it already")
            return {"status": described["status"], "document": position.document, "stopped": running}
        self._let_finish(position)
        document = self._undo(position.document, described.get("cause") or cause)
        return {"status": described["status"], "document": document, "stopped": running}

    def _stop(self, cause: str) -> dict[str, Any]:
        arn = self.machine.execution_arn(self.operation)
        self.aws.client("stepfunctions").stop_execution(executionArn=arn, error="OperationAborted", cause=cause)
        while (described := describe(self.aws, arn) or {}).get("status") == "RUNNING":
            self.sleep(_POLL_SECONDS)
        self.tell(f"execution {described['status']}")
        return described

    def _position(self, described: Mapping[str, Any]) -> Position:
        events = self.aws.client("stepfunctions").get_execution_history(
            executionArn=described["executionArn"],
            reverseOrder=True,
            maxResults=_HISTORY_TAIL,
            includeExecutionData=True,
        )["events"]
        position = last_position(events)
        if "execution" in position.document:
            return position
        # Stopped before its first state was left: the document is still to be made as PrepareInput makes it.
        started_at = described["startDate"].strftime("%Y-%m-%dT%H:%M:%SZ")
        execution = {"id": described["executionArn"], "name": described["name"], "started_at": started_at}
        document = {"request": json.loads(described["input"]), "execution": execution}
        return dataclasses.replace(position, document=document)

    def _let_finish(self, position: Position) -> None:
        """Wait for a function that was called and had not answered: stopping the execution does not stop the function.

        It is over when the audit trail says so or when its time-out has passed; cleaning up earlier could miss what it
        is about to make.
        """
        if not position.in_flight or position.since is None:
            return
        limit = position.since + datetime.timedelta(seconds=self._timeout(position.in_flight))
        rest = duration((limit - self.now()).total_seconds())
        self.tell(f"{position.in_flight} is still running; waiting for it, at most {rest}")
        while self.now() < limit and not self._has_ended(position.in_flight, position.since):
            self.sleep(_POLL_SECONDS)

    def _timeout(self, state: str) -> int:
        """The time-out in seconds of the function of a state: its name in lower case, with hyphens."""
        step = re.sub(r"\B(?=[A-Z])", "-", state).lower()
        configuration = self.aws.client("lambda").get_function_configuration(
            FunctionName=f"{self.cleanup_function.removesuffix(_CLEANUP_STEP)}{step}", Qualifier=self.machine.alias
        )
        return int(configuration["Timeout"])

    def _has_ended(self, state: str, since: datetime.datetime) -> bool:
        return any(
            event["step"] == state
            and event["status"] in ("SUCCEEDED", "FAILED")
            and parse_moment(event["timestamp"]) >= since
            for event in audit_events(self.aws, self.audit_table, self.operation)
        )

    def _undo(self, document: dict[str, Any], cause: str) -> dict[str, Any]:
        """Invoke the clean-up until it is done; returns the document with its report under `failure`."""
        document = {"error": {"Error": "OperationAborted", "Cause": cause}, **document}
        while True:
            answer = self.aws.client("lambda").invoke(
                FunctionName=self.cleanup_function, Qualifier=self.machine.alias, Payload=json.dumps(document).encode()
            )
            payload = answer["Payload"].read().decode()
            if answer.get("FunctionError"):
                raise DeployError(f"the clean-up of {self.operation} failed: {message_of(payload)}")
            document = {**document, "failure": json.loads(payload)}
            if document["failure"].get("done", True):
                return document
            wait = float(document["failure"].get("wait_seconds", _POLL_SECONDS))
            self.tell(f"cleaning up, next look in {duration(wait)}")
            self.sleep(wait)


def last_position(newest_first: list[dict[str, Any]]) -> Position:
    """Return where an execution stood when it ended, from the newest events of its history."""
    in_flight_since: datetime.datetime | None = None
    open_attempt: bool | None = None
    for event in newest_first:
        kind = event["type"]
        if kind in TERMINAL or kind.endswith("StateAborted"):
            continue
        if open_attempt is None:
            open_attempt = kind in _ATTEMPT_RUNS
        if kind in _ATTEMPT_RUNS and open_attempt:
            in_flight_since = event["timestamp"]
        if kind.endswith("StateEntered"):
            details = event["stateEnteredEventDetails"]
            document = json.loads(details.get("input") or "{}")
            return Position(document, details["name"] if open_attempt else "", in_flight_since)
        if kind.endswith("StateExited"):
            return Position(json.loads(event["stateExitedEventDetails"].get("output") or "{}"))
    return Position({})

"""Abort an operation: stop its execution, and see its clean-up through; or pause it, to be resumed.

No Catch runs when an execution is stopped (StopExecution) or times out. What cleans up then is another execution of
the same state machine: the sweep starts it when EventBridge tells of the end, and so does this, under the same name, so
that it runs once whoever is first. Every part can be repeated.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Callable
from typing import Any

from aurora_deploy.clients import Aws
from aurora_deploy.errors import DeployError
from aurora_deploy.runbook.execution import StateMachine, describe
from aurora_deploy.runbook.follow import Follower, Outcome
from aurora_deploy.runbook.history import message_of
from aurora_deploy.runbook.later import Recorded, recorded, start_later

#: The error of a stopped execution: what was aborted is cleaned up at once, what was paused may be resumed.
ABORTED, PAUSED = "OperationAborted", "OperationPaused"
CLEAN_UP = "clean_up"  # the action of a request; taking_over.py of the functions knows it
_POLL_SECONDS = 1.0
_DONE = ("SUCCEEDED", "ROLLED_BACK")


@dataclasses.dataclass
class Abort:
    """Aborts one operation. `tell` prints a line, `now` and `sleep` are the clock."""

    aws: Aws
    machine: StateMachine
    operation: str
    state_table: str
    tell: Callable[[str], None]
    now: Callable[[], datetime.datetime]
    sleep: Callable[[float], None]

    def found(self) -> dict[str, Any]:
        """Return DescribeExecution's answer for the operation's last execution.

        :raises DeployError: there is no such execution, or it ended in a way that leaves nothing to undo.
        """
        record = self._record()
        described = describe(self.aws, record.execution_arn if record else self.machine.execution_arn(self.operation))
        if described is None:
            raise DeployError(
                f"there is no operation {self.operation}. Fix: playbooks/status.yml lists the latest ones"
            )
        if described["status"] == "SUCCEEDED" if record is None else record.status in _DONE:
            raise DeployError(
                f"operation {self.operation} has succeeded and cannot be aborted. "
                "Fix: playbooks/rollback.yml gives a restored target its old cluster back"
            )
        return described

    def run(self, cause: str, *, pause: bool) -> dict[str, Any]:
        """Stop the execution if it runs, and undo what the operation did; returns `status`, `document`, `stopped`.

        With `pause` nothing is undone. An execution that undoes already is seen through: stopped, it would have to be
        waited for all the same.

        :raises DeployError: the clean-up failed, the message says with what; or what undoes already cannot be paused.
        """
        described = self.found()
        running = described["status"] == "RUNNING"
        undoes = running and self._undoes(described)
        if undoes and pause:
            raise DeployError(f"operation {self.operation} is being undone. Fix: wait for that, then start a new one")
        if undoes:
            self.tell("is being undone already")
            self._follow(described["executionArn"])
            described = self.found()
        elif running:
            described = self._stop(described["executionArn"], cause, PAUSED if pause else ABORTED)
        result = {"status": described["status"], "document": {}, "stopped": running and not undoes}
        record = self._record()
        if pause or record is None:  # without a record nothing was begun
            return result
        if record.status != "RUNNING":
            self.tell(f"ended {described['status']}, and the pipeline has cleaned up after it already")
            return {**result, "document": {"failure": record.state.get("Undo", {})}}
        return {**result, "document": self._clean_up(record)}

    def _record(self) -> Recorded | None:
        return recorded(self.aws, self.state_table, self.operation)

    def _undoes(self, described: dict[str, Any]) -> bool:
        """Whether the execution is a clean-up, or a restore that has failed and takes back what it did."""
        record = self._record()
        begun = bool(record and record.state.get("Undo", {}).get("phase") == "begun")
        return begun or bool(json.loads(described.get("input") or "{}").get("action") == CLEAN_UP)

    def _stop(self, arn: str, cause: str, error: str) -> dict[str, Any]:
        self.aws.client("stepfunctions").stop_execution(executionArn=arn, error=error, cause=cause)
        while (described := describe(self.aws, arn) or {}).get("status") == "RUNNING":
            self.sleep(_POLL_SECONDS)
        self.tell(f"execution {described['status']}")
        return described

    def _clean_up(self, record: Recorded) -> dict[str, Any]:
        """Start the clean-up, or find the one that runs, and follow it; returns its document."""
        document = {"action": CLEAN_UP, "operation_id": self.operation}
        name = start_later(self.aws, self.machine, record, "cleanup", document)
        outcome = self._follow(self.machine.execution_arn(name))
        if outcome.status != "SUCCEEDED":
            raise DeployError(f"the clean-up of {self.operation} failed: {outcome.error} {message_of(outcome.cause)}")
        return outcome.document

    def _follow(self, arn: str) -> Outcome:
        client = self.aws.client("stepfunctions")
        return Follower(client, arn, lambda line: self.tell(str(line)), now=self.now, sleep=self.sleep).run()

"""Decide about an operation that waits for an approval: find its task token, record who decides, answer.

The decision is written to the operation's item before the answer is sent and the token removed after it, so that a
runbook that was killed in between sends the same answer again. The token is never shown.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from aurora_deploy.errors import DeployError, is_code
from aurora_restore.approval import APPROVE, STEP, Decision
from aurora_restore.errors import ApprovalRejected
from aurora_restore.store import AuditStatus, Operation, Status, Store

AUDIT_STEP = "Approve"
#: What SendTaskSuccess and SendTaskFailure say of a token whose task has ended: expired, answered or aborted.
_TOO_LATE = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


@dataclasses.dataclass
class Approval:
    """Answers for one operation. `machine` is a boto3 Step Functions client."""

    store: Store
    machine: Any
    operation: str

    def waiting(self, decision: Decision) -> Mapping[str, Any]:
        """Return what the operation keeps about its question.

        :raises DeployError: it does not wait, waits no longer, was decided otherwise, or its requester approves it.
        """
        found = self.store.read(self.operation)
        entry = found.entry(STEP) if found else {}
        if found is None or not entry:
            raise DeployError(
                f"operation {self.operation} does not wait for an approval. Fix: playbooks/status.yml lists the latest"
            )
        self._require_undecided(found, entry, decision)
        own = decision.decided_by == entry.get("requested_by")
        if decision.decision == APPROVE and own and entry.get("forbid_self", True):
            raise DeployError(
                f"{decision.decided_by} requested operation {self.operation} and may not approve it. "
                "Fix: let somebody else approve it, or allow it with approval.forbid_self: false in restore_targets"
            )
        return entry

    def answer(self, decision: Decision) -> None:
        """Record the decision and send it.

        :raises DeployError: as `waiting`; or the operation stopped waiting meanwhile, and the decision has no effect.
        """
        entry = self.waiting(decision)
        known = dataclasses.asdict(decision)
        self.store.audit(self.operation, AUDIT_STEP, AuditStatus.STARTED, known)
        self.store.journal(self.operation, STEP, {**entry, **known})
        try:
            self._sender(decision)(taskToken=entry["task_token"])
        except Exception as error:
            if not is_code(error, *_TOO_LATE):
                raise
            self._take_back(entry, known)
            raise DeployError(
                f"operation {self.operation} waits no longer: its time was over at {entry['expires_at']}, or it was "
                "decided at the same moment. Fix: look at it with playbooks/status.yml, start it again with restore.yml"
            ) from error
        self.store.journal(self.operation, STEP, known)
        self.store.audit(self.operation, AUDIT_STEP, AuditStatus.SUCCEEDED, known)

    def _take_back(self, entry: Mapping[str, Any], known: Mapping[str, Any]) -> None:
        """A decision that came too late is no decision, unless somebody else's stands in its place by now."""
        found = self.store.read(self.operation)
        if found and found.entry(STEP) == {**entry, **known}:
            self.store.journal(self.operation, STEP, entry)
        self.store.audit(self.operation, AUDIT_STEP, AuditStatus.FAILED, known)

    def _require_undecided(self, found: Operation, entry: Mapping[str, Any], decision: Decision) -> None:
        same = (entry.get("decision"), entry.get("decided_by")) == (decision.decision, decision.decided_by)
        unsent = "decision" in entry and "task_token" in entry
        if "decision" in entry and not (same and unsent):
            before = Decision(**{field.name: entry[field.name] for field in dataclasses.fields(Decision)})
            raise DeployError(f"operation {self.operation} was {before.text}. There is nothing to decide any more")
        if found.status is not Status.RUNNING:
            raise DeployError(
                f"operation {self.operation} has ended {found.status}. Fix: start it again with playbooks/restore.yml"
            )

    def _sender(self, decision: Decision) -> Callable[..., Any]:
        """The call that answers, with everything but the token."""
        if decision.decision == APPROVE:
            output = json.dumps(dataclasses.asdict(decision))
            return lambda **token: self.machine.send_task_success(output=output, **token)
        error = ApprovalRejected(f"{decision.decided_by} rejected it: {decision.reason.rstrip('.')}.")
        return lambda **token: self.machine.send_task_failure(error=type(error).__name__, cause=str(error), **token)

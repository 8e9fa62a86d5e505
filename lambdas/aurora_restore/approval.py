"""A decision about an operation that waits for one, as the pipeline and playbooks/approve.yml both write it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

STEP = "RequestApproval"
"""The entry of the operation's journal that keeps the question and the decision."""
APPROVE, REJECT = "approve", "reject"


@dataclass(frozen=True)
class Decision:
    """What is decided (approve or reject), by whom (an ARN), when (UTC ISO-8601) and why."""

    decision: str
    decided_by: str
    decided_at: str
    reason: str

    @property
    def text(self) -> str:
        """For an operator: `approved by <who>: <why>`."""
        return f"{'approved' if self.decision == APPROVE else 'rejected'} by {self.decided_by}: {self.reason}"

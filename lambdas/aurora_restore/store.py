"""What the pipeline remembers: operations, locks, history and the audit trail.

`Store` is the contract; `store_dynamodb.DynamoStore` keeps it in the two tables. The tests hold it and an in-memory
twin to the same behaviour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from aurora_restore.errors import LockHeld


class Status(StrEnum):
    """Of an operation, in the state table."""

    PLANNED = "PLANNED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ROLLED_BACK = "ROLLED_BACK"


class AuditStatus(StrEnum):
    """Of a step, in the audit table."""

    STARTED = "STARTED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True)
class Operation:
    """One item of the state table: `state` maps a step's name to its journal entry."""

    operation_id: str
    status: Status
    timestamp: str
    state: Mapping[str, Any] = field(default_factory=dict)

    @property
    def execution_id(self) -> str:
        """ARN of the execution the operation belongs to."""
        return str(self.state.get("operation", {}).get("execution_id", ""))

    @property
    def attempt(self) -> int:
        """How many executions have worked for the operation."""
        return int(self.entry("operation").get("attempt", 1))

    @property
    def plan(self) -> Mapping[str, Any]:
        """What the operation was to do, as it was planned when it began."""
        return dict(self.entry("operation").get("plan", {}))

    def entry(self, step: str) -> Mapping[str, Any]:
        """What `step` journalled last; empty when it never did."""
        found = self.state.get(step, {})
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True)
class Lock:
    """A lock as held: `token` grows with every new owner, `lease_until` is in epoch seconds."""

    owner: str
    token: int
    lease_until: int

    def refusal(self, resource: str) -> LockHeld:
        """The error for another operation that wants `resource`."""
        until = datetime.fromtimestamp(self.lease_until, UTC)
        return LockHeld(f"{resource} is locked by operation {self.owner} until {until:%Y-%m-%d %H:%M:%S} UTC.")


class Store(Protocol):
    """The two tables, as the steps use them."""

    def begin(self, operation_id: str, facts: Mapping[str, Any]) -> None:
        """Create the operation as RUNNING with `facts` (at least `execution_id`) as entry `operation`.

        A second call by the same execution changes nothing. Raises OperationExists for another execution's.
        """

    def take_over(self, operation: Operation, facts: Mapping[str, Any], *, keep: bool) -> bool:
        """Give the operation to another execution, RUNNING with `facts`; False if it changed hands since it was read.

        With `keep` the journal stays, without the end of the earlier execution (its clean-up and its message);
        otherwise it starts empty.
        """

    def running(self) -> list[Operation]:
        """Every operation whose status is RUNNING."""

    def has_ended(self, operation_id: str, step: str, since: datetime) -> bool:
        """Whether the audit trail holds the end of a call of `step` (any, where empty) at `since` or later."""

    def read(self, operation_id: str) -> Operation | None:
        """The operation, read consistently; None when there is none."""

    def journal(self, operation_id: str, step: str, entry: Mapping[str, Any]) -> None:
        """Replace the journal entry of one step. Written before and after every call that changes something."""

    def set_status(self, operation_id: str, status: Status) -> None:
        """Set the status of an operation that exists."""

    def acquire(self, resource: str, owner: str, lease_until: int, now: int) -> Lock:
        """Take `lock#<resource>`, or take it again. Raises LockHeld while another owner's lease runs."""

    def holder(self, resource: str) -> Lock | None:
        """The lock as it stands, read consistently, expired or not; None when free."""

    def release(self, resource: str, owner: str) -> bool:
        """Free the lock if `owner` holds it; says whether it did. The token survives, so that it only grows."""

    def remember(self, resource: str, operation_id: str, durations: Mapping[str, int]) -> None:
        """Add one success to the history of a target: seconds by phase, once per operation. The ten newest are kept."""

    def history(self, resource: str) -> list[Mapping[str, int]]:
        """The durations of a target's remembered successes, oldest first."""

    def audit(self, operation_id: str, step: str, status: AuditStatus, details: Mapping[str, Any] | None = None) -> str:
        """Append one event and return its timestamp, unique within the operation. Nothing is ever overwritten."""


def ends_call(event: Mapping[str, Any], step: str) -> bool:
    """Whether an audit event says that a call of `step` (any, where empty) has ended."""
    return event["status"] in (AuditStatus.SUCCEEDED, AuditStatus.FAILED) and step in ("", event["step"])


def carried_over(operation: Operation, facts: Mapping[str, Any], *, keep: bool) -> dict[str, Any]:
    """The journal with which another execution goes on."""
    ended = ("operation", "HandleFailure", "Undo")
    journal = {step: entry for step, entry in operation.state.items() if keep and step not in ended}
    return {**journal, "operation": dict(facts)}


def resource_key(region: str, cluster: str) -> str:
    """The name of a target in locks and history: `<region>#<cluster>`."""
    return f"{region}#{cluster}"

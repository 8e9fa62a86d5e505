"""Who may decide what, and that a decision is recorded before it is sent and never sent for nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aurora_deploy.errors import DeployError
from aurora_deploy.runbook.approval import AUDIT_STEP, Approval
from aurora_restore.approval import STEP, Decision
from aurora_restore.store import Status
from tests.unit.lambdas.fake_clock import FakeClock
from tests.unit.lambdas.memory_store import MemoryStore

from .fakes import refused

ALICE, BOB = (f"arn:aws:iam::123456789012:user/{name}" for name in ("alice", "bob"))
OPERATION = "20261123-071450-x7k2"
ASKED = {"task_token": "secret-token", "requested_by": ALICE, "forbid_self": True, "expires_at": "2026-11-23T09:00:00Z"}


class Machine:
    """Step Functions, as far as it takes answers."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.refuse = ""

    def send_task_success(self, **answer: Any) -> None:
        self._take(answer)

    def send_task_failure(self, **answer: Any) -> None:
        self._take(answer)

    def _take(self, answer: dict[str, Any]) -> None:
        if self.refuse:
            raise refused("SendTaskSuccess", self.refuse)
        self.answers.append(answer)


class World:
    def __init__(self, **changes: Any) -> None:
        self.store, self.machine = MemoryStore(FakeClock()), Machine()
        self.store.begin(OPERATION, {"execution_id": "arn:1"})
        self.store.journal(OPERATION, STEP, {**ASKED, **changes})
        self.approval = Approval(self.store, self.machine, OPERATION)

    @property
    def entry(self) -> dict[str, Any]:
        return dict(self.store.operations[OPERATION].entry(STEP))

    @property
    def audited(self) -> list[str]:
        assert {event["step"] for event in self.store.events} <= {AUDIT_STEP}
        return [event["status"] for event in self.store.events]


def decision(what: str = "approve", who: str = BOB, why: str = "release 7") -> Decision:
    return Decision(what, who, "2026-11-23T08:00:00.000000Z", why)


def test_an_approval_is_sent_and_recorded_and_the_token_forgotten() -> None:
    world = World()
    world.approval.answer(decision())
    (answer,) = world.machine.answers
    assert answer["taskToken"] == "secret-token"
    assert json.loads(answer["output"])["decided_by"] == BOB
    assert world.entry == json.loads(answer["output"])
    assert world.audited == ["STARTED", "SUCCEEDED"]
    assert "secret-token" not in str(world.store.events)


def test_a_rejection_says_who_and_why_in_a_typed_error() -> None:
    world = World()
    world.approval.answer(decision("reject", why="not today."))
    (answer,) = world.machine.answers
    assert answer["error"] == "ApprovalRejected"
    assert answer["cause"].startswith(f"[AR204] {BOB} rejected it: not today. Remedy: ")


def test_the_requester_may_reject_but_not_approve() -> None:
    world = World()
    with pytest.raises(DeployError, match="may not approve"):
        world.approval.answer(decision(who=ALICE))
    assert (world.machine.answers, world.audited) == ([], [])
    world.approval.answer(decision("reject", who=ALICE))
    assert len(world.machine.answers) == 1


def test_the_requester_may_approve_where_the_request_allows_it() -> None:
    world = World(forbid_self=False)
    world.approval.answer(decision(who=ALICE))
    assert len(world.machine.answers) == 1


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_decision_that_comes_too_late_has_no_effect_and_says_so(code: str) -> None:
    world = World()
    world.machine.refuse = code
    with pytest.raises(DeployError, match="waits no longer"):
        world.approval.answer(decision())
    assert "decision" not in world.entry
    assert world.audited == ["STARTED", "FAILED"]


def test_a_second_decision_is_refused_with_the_first() -> None:
    world = World()
    world.approval.answer(decision())
    for again in (decision(), decision("reject", who=ALICE)):
        with pytest.raises(DeployError, match=f"was approved by {BOB}: release 7"):
            world.approval.answer(again)
    assert len(world.machine.answers) == 1


def test_a_runbook_that_died_before_it_sent_sends_when_run_again() -> None:
    world = World()
    world.machine.refuse = "ThrottlingException"
    with pytest.raises(Exception, match="ThrottlingException"):
        world.approval.answer(decision())
    world.machine.refuse = ""
    with pytest.raises(DeployError, match="was approved by"):
        world.approval.answer(decision(who="arn:aws:iam::123456789012:user/carol"))
    world.approval.answer(decision())
    assert len(world.machine.answers) == 1
    assert "task_token" not in world.entry


def test_what_does_not_wait_cannot_be_decided() -> None:
    world = World()
    with pytest.raises(DeployError, match="does not wait"):
        Approval(world.store, world.machine, "another").answer(decision())
    world.store.set_status(OPERATION, Status.FAILED)
    with pytest.raises(DeployError, match="has ended FAILED"):
        world.approval.answer(decision())


def test_looking_decides_nothing() -> None:
    world = World()
    world.approval.waiting(decision())
    assert (world.machine.answers, world.audited, world.entry) == ([], [], ASKED)

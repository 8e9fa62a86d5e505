"""Nothing is changed before somebody agrees; a rejection and silence end the operation, each by its name."""

from __future__ import annotations

from typing import Any

import pytest

from aurora_restore.approval import STEP
from aurora_restore.errors import ApprovalRejected, InvalidRequest
from aurora_restore.request import parse
from aurora_restore.steps.acquire_lock import TAKE_OVER_SECONDS
from tests.unit.lambdas.fake_rds import Killed
from tests.unit.lambdas.pipeline import OPERATION, REQUEST, Pipeline

ALICE, BOB = (f"arn:aws:iam::123456789012:user/{name}" for name in ("alice", "bob"))
PROTECTED: dict[str, Any] = {
    **REQUEST,
    "approval": {"required": True, "expires_hours": 2},
    "requested_by": ALICE,
}
APPROVED = {"decision": "approve", "decided_by": BOB, "reason": "release 7", "decided_at": "2026-11-23T08:00:00Z"}


@pytest.fixture
def pipeline() -> Pipeline:
    made = Pipeline()
    made.seed()
    return made


def test_an_approval_lets_the_restore_go_on_and_stands_in_its_document(pipeline: Pipeline) -> None:
    def decide(_token: str) -> dict[str, str]:
        assert pipeline.rds.changes == []
        pipeline.clock.advance(7100)  # nearly all the time there is
        return APPROVED

    pipeline.approvers.decide = decide
    ended = pipeline.run(PROTECTED)
    assert ended.status == "SUCCEEDED"
    assert ended.output["approval"] == APPROVED
    assert ended.visited.index("RequestApproval") < ended.visited.index("NotifyStart")


def test_the_wait_takes_nothing_from_the_restores_own_time(pipeline: Pipeline) -> None:
    pipeline.rds.delay = (
        3000  # 3000 s each for cluster and instances fit into 7200 s, but not into what 2 h leave of it
    )
    pipeline.approvers.decide = lambda _token: pipeline.clock.advance(7100) or APPROVED
    pipeline.overrides["swap-clusters"] = lambda _context, _document: {"done": True}
    pipeline.overrides["archive-snapshot"] = lambda _context, _document: {"old_cluster_id": None}
    assert pipeline.run(PROTECTED).status == "SUCCEEDED"


def test_the_lock_is_held_through_the_wait(pipeline: Pipeline) -> None:
    start = pipeline.context.now()
    pipeline.approvers.decide = lambda _token: ApprovalRejected("No.")
    document = pipeline.run(PROTECTED).output
    assert document["lock"]["lease_until"] == start + 7200 + 7200 + TAKE_OVER_SECONDS
    assert document["plan"]["deadline"] == start + 7200 + 7200 - 900


def test_a_rejection_ends_the_operation_with_who_and_why(pipeline: Pipeline) -> None:
    pipeline.approvers.decide = lambda _token: ApprovalRejected(f"{BOB} rejected it: not today.")
    ended = pipeline.run(PROTECTED)
    assert (ended.status, ended.error) == ("FAILED", "ApprovalRejected")
    assert "[AR204]" in ended.cause
    assert f"{BOB} rejected it: not today." in ended.cause
    assert pipeline.rds.changes == []
    assert pipeline.store.holder("us-east-1#orders-staging") is None


def test_silence_ends_the_operation_as_expired(pipeline: Pipeline) -> None:
    ended = pipeline.run(PROTECTED)
    assert (ended.status, ended.error) == ("FAILED", "ApprovalExpired")
    assert "[AR205]" in ended.cause
    assert "approval.expires_hours" in ended.cause
    assert ended.visited[-5:] == [
        "RequestApproval",
        "ApprovalExpired",
        "HandleFailure",
        "IsCleanupComplete",
        "RestoreFailed",
    ]
    assert pipeline.rds.changes == []


def test_the_approvers_are_told_what_to_decide_but_never_the_token(pipeline: Pipeline) -> None:
    pipeline.run(PROTECTED)
    (subject, text) = pipeline.topic.messages[0]
    assert subject == "[test] Aurora restore needs approval: orders-staging"
    for fact in (OPERATION, ALICE, "orders-prod", "db.r6g.large, db.r6g.xlarge", "2026-11-23T09:00:00"):
        assert fact in text
    assert f"playbooks/approve.yml -i inventories/test -e operation={OPERATION} -e decision=approve" in text
    (token,) = pipeline.approvers.tokens
    told = [*map(str, pipeline.topic.messages), *map(str, pipeline.store.events)]
    assert not any(token in line for line in told)
    entry = pipeline.store.operations[OPERATION].entry(STEP)
    assert (entry["task_token"], entry["requested_by"], entry["forbid_self"]) == (token, ALICE, True)


def test_a_function_that_died_asks_again_with_its_new_token_and_tells_once(pipeline: Pipeline) -> None:
    document, journal, deaths = document_of(pipeline), pipeline.store.journal, []

    def dies_once(operation_id: str, step: str, entry: Any) -> None:
        journal(operation_id, step, entry)
        if step == "NotifyApproval" and not deaths:
            deaths.append(step)
            raise Killed(step)

    pipeline.store.journal = dies_once  # type: ignore[method-assign]
    handler = pipeline.handlers()["request-approval"]
    with pytest.raises(Killed):
        handler({**document, "task_token": "first"}, None)
    handler({**document, "task_token": "second"}, None)
    assert len(pipeline.topic.messages) == 1
    assert pipeline.store.operations[OPERATION].entry(STEP)["task_token"] == "second"


def test_what_was_approved_before_needs_no_second_approval(pipeline: Pipeline) -> None:
    document = document_of(pipeline)
    pipeline.store.journal(OPERATION, STEP, APPROVED)
    pipeline.handlers()["request-approval"]({**document, "task_token": "resumed"}, None)
    assert pipeline.approvers.sent == {"resumed": APPROVED}
    assert pipeline.topic.messages == []


def test_no_approval_no_wait(pipeline: Pipeline) -> None:
    ended = pipeline.run({**REQUEST, "approval": {"required": False}})
    assert ended.status == "SUCCEEDED"
    assert "RequestApproval" not in ended.visited


def test_a_dry_run_shows_the_approval_and_asks_nobody(pipeline: Pipeline) -> None:
    ended = pipeline.run({**PROTECTED, "dry_run": True})
    assert ended.visited[-1] == "PlanReady"
    assert ended.output["plan"]["approval"]["expires_seconds"] == 7200


def test_a_wait_that_outlives_the_state_machine_is_refused(pipeline: Pipeline) -> None:
    ended = pipeline.run({**REQUEST, "approval": {"required": True, "expires_hours": 25}})
    assert ended.error == "InvalidRequest"
    assert "approval_max_hours" in ended.cause


@pytest.mark.parametrize("approval", [{}, {"required": "perhaps"}, {"required": True, "expires_hours": 0}, "yes"])
def test_a_malformed_approval_is_a_mistake_of_the_request(approval: Any) -> None:
    with pytest.raises(InvalidRequest, match="approval"):
        parse({**REQUEST, "approval": approval})


def document_of(pipeline: Pipeline) -> dict[str, Any]:
    """The document as RequestApproval gets it."""
    pipeline.approvers.decide = lambda _token: ApprovalRejected("only to get there")
    output = pipeline.run(PROTECTED).output
    pipeline.topic.messages.clear()
    for step in (STEP, "NotifyApproval"):
        pipeline.store.journal(OPERATION, step, {})
    return {key: output[key] for key in ("request", "execution", "plan")}

from __future__ import annotations

import datetime
import json
from typing import Any

from aurora_deploy.runbook.follow import Outcome
from aurora_deploy.runbook.outcome import failure, failure_text, summary, undone

START = datetime.datetime(2026, 11, 23, 7, 0, tzinfo=datetime.UTC)
TYPED = "[AR108] No snapshot of orders-prod is in us-east-1. Remedy: Check source.cluster or source.region."


def ended(status: str, error: str = "", cause: str = "", document: dict[str, Any] | None = None) -> Outcome:
    return Outcome(status, error, cause, START, START + datetime.timedelta(seconds=42), document or {})


def test_a_typed_cause_is_taken_apart_however_it_is_wrapped() -> None:
    for cause in (TYPED, json.dumps({"errorMessage": TYPED, "errorType": "SnapshotNotFound"})):
        about = failure(ended("FAILED", "SnapshotNotFound", cause), "op-1")
        assert (about.error, about.code) == ("SnapshotNotFound", "AR108")
        assert about.cause == "No snapshot of orders-prod is in us-east-1."
        assert about.remedy == "Check source.cluster or source.region."


def test_an_error_of_the_engine_keeps_its_own_words() -> None:
    about = failure(ended("FAILED", "States.Runtime", "the path $.x is missing"), "op-1")
    assert (about.error, about.code, about.cause) == ("States.Runtime", "", "the path $.x is missing")


def test_a_timed_out_execution_names_the_runbook_that_cleans_up() -> None:
    text = failure_text(ended("TIMED_OUT"), "op-1", "the log group")
    assert "playbooks/abort.yml -e operation=op-1" in text


def test_the_message_has_cause_remedy_what_was_undone_and_where_to_look() -> None:
    document = {
        "failure": {
            "done": True,
            "error": "x",
            "undone": ["removed cluster orders-staging-op-1"],
            "left": ["instance b"],
        }
    }
    text = failure_text(ended("FAILED", "SnapshotNotFound", TYPED, document), "op-1", "the log group")
    assert text.splitlines() == [
        "The restore op-1 ended FAILED after 42 s: SnapshotNotFound (AR108)",
        "Cause:   No snapshot of orders-prod is in us-east-1.",
        "Remedy:  Check source.cluster or source.region.",
        "Undone:  removed cluster orders-staging-op-1",
        "         LEFT BEHIND: instance b",
        "Look at: the log group",
    ]


def test_nothing_undone_is_not_made_up() -> None:
    assert undone({}) == []
    text = failure_text(
        ended("FAILED", "SnapshotNotFound", TYPED, {"failure": {"done": True}}), "op-1", "the log group"
    )
    assert "Undone:  nothing had to be undone" in text


def test_a_clean_up_that_never_ran_is_not_called_needless() -> None:
    text = failure_text(ended("FAILED", "States.Runtime", "x"), "op-1", "the log group")
    assert "Undone:  nothing: no clean-up ran. Run playbooks/abort.yml" in text


def test_a_success_says_where_the_old_cluster_is() -> None:
    archive = {"old_cluster_id": "orders-staging-old-op-1", "expires_at": "2026-11-24T07:00:00Z"}
    line = summary(ended("SUCCEEDED", document={"archive": archive}), "op-1")
    assert line.endswith("The old cluster stands as orders-staging-old-op-1 until 2026-11-24T07:00:00Z.")


def test_a_success_that_removed_the_target_says_where_its_data_are() -> None:
    archive = {"old_cluster_id": None, "final_snapshot": "orders-staging-final-op-1"}
    line = summary(ended("SUCCEEDED", document={"archive": archive}), "op-1")
    assert line.endswith("The target was removed first; snapshot orders-staging-final-op-1 holds what it had.")


def test_a_dry_run_is_not_called_a_restore() -> None:
    assert summary(ended("SUCCEEDED"), "op-1") == "The restore op-1 succeeded in 42 s."
    assert "nothing was changed" in summary(ended("SUCCEEDED", document={"plan": {"dry_run": True}}), "op-1")


def test_several_problems_stand_on_a_line_each() -> None:
    cause = (
        "[AR112] 2 problems: (1) AR105 TargetNotAvailable: busy; stopped. Fix: Wait.; "
        "(2) AR304 QuotaExceeded: full. Fix: Tidy up. Remedy: Put each right."
    )
    text = failure_text(ended("FAILED", "SeveralProblems", cause), "op-1", "the log group")
    assert "Cause:   2 problems\n         (1) AR105 TargetNotAvailable: busy; stopped. Fix: Wait.\n" in text
    assert "\n         (2) AR304 QuotaExceeded: full. Fix: Tidy up.\nRemedy:  Put each right." in text

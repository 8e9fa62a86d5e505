"""Reading what Step Functions caught, and telling people."""

from __future__ import annotations

import json

import pytest

from aurora_restore import messages
from aurora_restore.aws.notifications import Notifications
from aurora_restore.errors import SnapshotNotFound
from aurora_restore.failure import read_failure
from tests.unit.lambdas.pipeline import Pipeline, Topic


def test_a_typed_error_is_read_back_from_the_cause() -> None:
    error = SnapshotNotFound("Cluster x has no snapshots.")
    cause = json.dumps({"errorMessage": str(error), "errorType": "SnapshotNotFound", "stackTrace": ["a"]})
    failure = read_failure({"Error": "SnapshotNotFound", "Cause": cause})
    assert (failure.error, failure.code, failure.message) == (
        "SnapshotNotFound",
        "AR108",
        "Cluster x has no snapshots.",
    )
    assert failure.remedy == SnapshotNotFound.default_remedy


@pytest.mark.parametrize(
    "caught",
    [
        None,
        {},
        {"Error": "States.Timeout"},
        {"Error": "KeyError", "Cause": json.dumps({"errorMessage": "password hunter2"})},
        {"Error": "Lambda.Unknown", "Cause": "hunter2 is no JSON"},
        {"Error": "X", "Cause": '["hunter2"]'},
    ],
)
def test_the_text_of_an_unknown_error_is_not_repeated(caught: object) -> None:
    failure = read_failure(caught)
    assert failure.code == ""
    assert failure.error
    assert "hunter2" not in failure.text + failure.remedy


def test_a_subject_fits_sns() -> None:
    topic = Topic()
    Notifications(lambda: topic, "arn:aws:sns:us-east-1:1:t").publish("a\nb " + "ü" * 200, "text")
    subject = topic.messages[0][0]
    assert len(subject) == 100
    assert subject.isascii()
    assert "\n" not in subject


def test_a_failure_is_told_without_a_plan() -> None:
    settings = Pipeline().context.settings
    subject, text = messages.failed(settings, "op-one", None, read_failure({"Error": "States.Timeout"}), [], ["x"])
    assert subject == "[test] Aurora restore FAILED: op-one"
    assert "LEFT BEHIND: x" in text
    assert "nothing had to be undone" in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5 s"), (65, "1 min 05 s"), (3723, "1 h 02 min 03 s"), (90000, "25 h 00 min 00 s")]
)
def test_durations_read_well(seconds: int, text: str) -> None:
    assert messages.duration(seconds) == text

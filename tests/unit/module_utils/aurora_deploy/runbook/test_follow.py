"""The follower against a history that grows while it is read."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from aurora_deploy.runbook import follow
from aurora_deploy.runbook.follow import Follower, LostTheExecution, Outcome
from aurora_deploy.runbook.history import Line

ARN = "arn:aws:states:us-east-1:000000000000:execution:aurora-restore-state-machine:op"


class GrowingHistory:
    """A Step Functions client of one execution: each second of `sleep` lets `speed` more recorded events happen."""

    def __init__(self, name: str, *, speed: float = 4) -> None:
        recorded = json.loads((Path(__file__).parent / "histories" / f"{name}.json").read_text(encoding="utf-8"))
        self.events = [{**e, "timestamp": datetime.datetime.fromisoformat(e["timestamp"])} for e in recorded["events"]]
        self.described = {
            key: datetime.datetime.fromisoformat(value) if key.endswith("Date") else value
            for key, value in recorded["execution"].items()
        }
        self.speed, self.seconds, self.calls = speed, 0.0, 0
        self.hidden: set[int] = set()
        self.fail_next: list[Exception] = []

    def now(self) -> datetime.datetime:
        start: datetime.datetime = self.events[0]["timestamp"]
        return start + datetime.timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def happened(self) -> int:
        return min(len(self.events), 1 + int(self.seconds * self.speed))

    def get_execution_history(self, **arguments: Any) -> dict[str, Any]:
        self.calls += 1
        if self.fail_next:
            raise self.fail_next.pop(0)
        assert arguments["reverseOrder"] is True
        visible = [e for e in self.events[: self.happened] if e["id"] not in self.hidden][::-1]
        start = int(arguments.get("nextToken", 0))
        end = start + arguments["maxResults"]
        return {"events": visible[start:end]} | ({"nextToken": str(end)} if end < len(visible) else {})

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        if self.happened < len(self.events):
            return {**self.described, "status": "RUNNING", "stopDate": None, "output": None}
        return self.described


def followed(client: GrowingHistory) -> tuple[Outcome, list[Line]]:
    lines: list[Line] = []
    outcome = Follower(client, ARN, lines.append, now=client.now, sleep=client.sleep).run()
    return outcome, lines


@pytest.mark.parametrize("page_size", [1, 3, 1000])
def test_every_event_is_told_once_and_in_order_whatever_the_page_size(
    monkeypatch: pytest.MonkeyPatch, page_size: int
) -> None:
    whole = followed(GrowingHistory("succeeded", speed=1000))[1]
    monkeypatch.setattr(follow, "PAGE_SIZE", page_size)
    monkeypatch.setattr(follow, "FIRST_PAGE_SIZE", page_size)
    outcome, lines = followed(GrowingHistory("succeeded"))
    assert lines == whole
    assert outcome.status == "SUCCEEDED"
    assert outcome.document["restore"]["status"] == "available"


def test_an_event_that_shows_up_late_is_waited_for() -> None:
    client = GrowingHistory("succeeded", speed=1000)
    client.hidden = {8}
    lines: list[Line] = []
    looks = []

    def sleep(seconds: float) -> None:
        looks.append(len(lines))
        client.hidden = set()
        client.seconds += seconds

    Follower(client, ARN, lines.append, now=client.now, sleep=sleep).run()
    assert lines == followed(GrowingHistory("succeeded", speed=1000))[1]
    assert looks[0] < len(lines)


def test_a_failed_execution_ends_with_its_error_and_last_document() -> None:
    outcome, _ = followed(GrowingHistory("failed"))
    assert (outcome.status, outcome.error) == ("FAILED", "SnapshotNotFound")
    assert outcome.document["failure"]["done"] is True
    assert 0 < outcome.seconds < 60


def test_looks_become_rarer_while_nothing_happens() -> None:
    client = GrowingHistory("succeeded", speed=0.02)
    followed(client)
    assert client.seconds / client.calls > 2.5


def test_a_lost_connection_is_told_once_and_followed_on() -> None:
    client = GrowingHistory("succeeded")
    client.fail_next = [EndpointConnectionError(endpoint_url="https://states.us-east-1.amazonaws.com")] * 3
    outcome, lines = followed(client)
    assert outcome.status == "SUCCEEDED"
    assert [line.text.split(" (")[0] for line in lines if line.state == "runbook"] == [
        "cannot reach AWS",
        "AWS answers again",
    ]


def test_a_connection_that_stays_lost_ends_the_following_and_says_why() -> None:
    client = GrowingHistory("succeeded")
    client.fail_next = [EndpointConnectionError(endpoint_url="https://states.us-east-1.amazonaws.com")] * 10_000
    with pytest.raises(LostTheExecution, match="could not be reached for 15 min"):
        followed(client)


def test_a_refusal_is_not_retried() -> None:
    client = GrowingHistory("succeeded")
    refusal = {
        "Error": {"Code": "ExpiredTokenException", "Message": "expired"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    client.fail_next = [ClientError(refusal, "GetExecutionHistory")]  # type: ignore[arg-type]
    with pytest.raises(ClientError, match="expired"):
        followed(client)
    assert client.calls == 1


def test_a_long_quiet_state_is_mentioned() -> None:
    lines = followed(GrowingHistory("succeeded", speed=0.02))[1]
    assert any(line.text.startswith("... nothing new for ") for line in lines)

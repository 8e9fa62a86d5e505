"""Follow one execution live: GetExecutionHistory read in increments, DescribeExecution for the end.

GetExecutionHistory gives no token for "what comes after the last event" of a running execution, so each look reads
newest first (``reverseOrder``) and pages back only to the last event already told: one call of one page in the
ordinary case. The API is eventually consistent; event ids are consecutive, so a gap is left for the next look and
nothing is told out of order or twice.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as AwsConnectionError

from aurora_deploy.runbook.history import TERMINAL, Line, Narrator
from aurora_deploy.runbook.text import UTC, duration

#: Seconds between two looks: the first while things happen, the second once nothing has for a while.
FASTEST, SLOWEST = 0.5, 5.0
#: After this many seconds without a line the follower says so, then each time the silence has doubled, at least every:
QUIET_SECONDS, QUIET_AT_MOST = 15.0, 600.0
#: How long a lost connection is retried before the follower gives up (the execution itself does not notice).
LOST_SECONDS = 900.0
#: Events of a page: all that fit at first, then few, because every event carries the whole execution document.
FIRST_PAGE_SIZE, PAGE_SIZE = 1000, 25
_TRANSIENT_CODES = frozenset(
    {"ThrottlingException", "TooManyRequestsException", "ServiceUnavailable", "InternalFailure", "InternalServerError"}
)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How an execution ended. ``document`` is the last execution document seen, whatever the status."""

    status: str
    error: str
    cause: str
    started: datetime.datetime
    stopped: datetime.datetime
    document: dict[str, Any]

    @property
    def seconds(self) -> float:
        """Running time of the execution."""
        return (self.stopped - self.started).total_seconds()


class LostTheExecution(Exception):
    """AWS could not be asked any more. The execution itself goes on."""


def is_transient(error: Exception) -> bool:
    """True for what a later attempt may cure: lost connections, timeouts, throttling, the service's own errors."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or error.response.get("Error", {}).get("Code") in _TRANSIENT_CODES
    return isinstance(error, (HTTPClientError, AwsConnectionError))


class Follower:
    """Tells what an execution does, as it does it.

    :param client: a boto3 Step Functions client (``get_execution_history``, ``describe_execution``).
    :param tell: called with each line.
    :param now: the current time, aware. :param sleep: waits that many seconds.
    """

    def __init__(
        self,
        client: Any,
        execution_arn: str,
        tell: Callable[[Line], None],
        *,
        now: Callable[[], datetime.datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._client = client
        self._arn = execution_arn
        self._print = tell
        self._now = now
        self._sleep = sleep
        self._narrator = Narrator()
        self._told = 0
        self._quiet_since = now()
        self._next_mention = QUIET_SECONDS

    def run(self) -> Outcome:
        """Follow until the execution has ended.

        :raises LostTheExecution: AWS stayed out of reach for `LOST_SECONDS`.
        :raises botocore.exceptions.ClientError: AWS refused (no such execution, no right to read it, ...).
        """
        pause = FASTEST
        while True:
            if self._read():
                pause = FASTEST
            elif (described := self._described())["status"] != "RUNNING" and not self._read():
                return self._outcome(described)  # the end is known although its event never came
            if self._narrator.status:
                break
            self._mention_quiet()
            self._sleep(pause)
            pause = min(pause * 1.5, SLOWEST)
        while (described := self._described())["status"] == "RUNNING":
            self._sleep(FASTEST)  # the description may lag behind the history for a moment
        return self._outcome(described)

    def _read(self) -> bool:
        """Tell every new event; True if there was one."""
        fresh = self._fresh_events()
        for event in fresh:
            for line in self._narrator.feed(event):
                self._tell(line)
            self._told = event["id"]
            if event["type"] in TERMINAL:
                break
        return bool(fresh)

    def _fresh_events(self) -> list[dict[str, Any]]:
        """The events after the last one told, oldest first, up to the first gap."""
        found: dict[int, dict[str, Any]] = {}
        token: dict[str, str] = {}
        while True:
            page = self._ask(
                self._client.get_execution_history,
                executionArn=self._arn,
                reverseOrder=True,
                maxResults=PAGE_SIZE if self._told else FIRST_PAGE_SIZE,
                includeExecutionData=True,
                **token,
            )
            found.update((event["id"], event) for event in page["events"] if event["id"] > self._told)
            if not page.get("nextToken") or not page["events"] or page["events"][-1]["id"] <= self._told + 1:
                break
            token = {"nextToken": page["nextToken"]}
        fresh: list[dict[str, Any]] = []
        while self._told + len(fresh) + 1 in found:
            fresh.append(found[self._told + len(fresh) + 1])
        return fresh

    def _described(self) -> dict[str, Any]:
        described: dict[str, Any] = self._ask(self._client.describe_execution, executionArn=self._arn)
        return described

    def _ask(self, call: Callable[..., Any], **arguments: Any) -> Any:
        """Make a read-only call, again and again while only the connection fails."""
        lost_at: datetime.datetime | None = None
        pause = FASTEST
        while True:
            try:
                answer = call(**arguments)
            except (BotoCoreError, ClientError) as error:
                if not is_transient(error):
                    raise
                now = self._now()
                if lost_at is None:
                    lost_at = now
                    self._tell(self._aside(f"cannot reach AWS ({error}); the execution goes on, trying again"))
                elif (now - lost_at).total_seconds() > LOST_SECONDS:
                    raise LostTheExecution(f"AWS could not be reached for {duration(LOST_SECONDS)}: {error}") from error
                self._sleep(pause)
                pause = min(pause * 2, SLOWEST)
                continue
            if lost_at is not None:
                self._tell(self._aside("AWS answers again"))
            return answer

    def _tell(self, line: Line) -> None:
        self._print(line)
        self._quiet_since, self._next_mention = self._now(), QUIET_SECONDS

    def _mention_quiet(self) -> None:
        """Say where the execution is when there was nothing to tell for long: silence must not look like a hang."""
        now = self._now()
        quiet = (now - self._quiet_since).total_seconds()
        if self._narrator.state and quiet >= self._next_mention:
            self._next_mention = quiet + min(quiet, QUIET_AT_MOST)
            self._print(
                Line(self._narrator.elapsed(now), self._narrator.state, f"... nothing new for {duration(quiet)}")
            )

    def _aside(self, text: str) -> Line:
        return Line(self._narrator.elapsed(self._now()), "runbook", text, bad=True)

    def _outcome(self, described: dict[str, Any]) -> Outcome:
        document = self._narrator.document
        if described["status"] == "SUCCEEDED" and described.get("output"):
            document = json.loads(described["output"])
        return Outcome(
            status=described["status"],
            error=described.get("error") or "",
            cause=described.get("cause") or "",
            started=described["startDate"],
            stopped=described.get("stopDate") or datetime.datetime.now(UTC),
            document=document,
        )

"""The notifications topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aurora_restore.aws.calls import call

SUBJECT_LIMIT = 100  # SNS Publish: up to 100 ASCII characters, no line breaks


class Notifications:
    """Amazon SNS, one topic."""

    def __init__(self, client: Callable[[], Any], topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, subject: str, text: str) -> str:
        """Send one message and return its id; a subject that is too long is cut."""
        line = " ".join(subject.split()).encode("ascii", "replace").decode()
        if len(line) > SUBJECT_LIMIT:
            line = line[: SUBJECT_LIMIT - 3] + "..."
        return str(call(self._client().publish, TopicArn=self._topic_arn, Subject=line, Message=text)["MessageId"])

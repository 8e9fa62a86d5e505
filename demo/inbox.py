"""A queue behind the notifications topic while the demo restores: what was really published."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

_QUEUE = "aurora-restore-demo-inbox"


class Inbox:
    """Subscribes a queue for as long as it is open. `sns` and `sqs` are boto3 clients."""

    def __init__(self, sns: Any, sqs: Any, topic_arn: str) -> None:
        self._sns = sns
        self._sqs = sqs
        self._topic_arn = topic_arn

    def __enter__(self) -> Self:
        self._url = self._sqs.create_queue(QueueName=_QUEUE)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        subscribed = self._sns.subscribe(
            TopicArn=self._topic_arn, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True
        )
        self._subscription = subscribed["SubscriptionArn"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The deployment owns the topic's subscriptions: one that stayed would be a change in the next deploy.
        self._sns.unsubscribe(SubscriptionArn=self._subscription)
        self._sqs.delete_queue(QueueUrl=self._url)

    def messages(self) -> list[tuple[str, str]]:
        """Take out subject and text of everything that has arrived, in the order of arrival."""
        found: list[tuple[str, str]] = []
        while True:
            answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            received = answer.get("Messages", [])
            if not received:
                return found
            for message in received:
                envelope = json.loads(message["Body"])
                found.append((str(envelope.get("Subject", "")), str(envelope["Message"])))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

"""The SNS topic of a deployment: encrypted, with its policy, tags and subscriptions."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from aurora_deploy.action import Run, Work
from aurora_deploy.clients import Aws, together
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family
from aurora_deploy.errors import DeployError
from aurora_deploy.tags import removed, tag_list, tag_map

_ATTRIBUTE_NAMES = {"display_name": "DisplayName", "kms_key": "KmsMasterKeyId", "policy": "Policy"}


def plan(run: Run) -> Iterator[Work]:
    """Declare the topic, or only check that the `existing` one is there."""
    arn = run.args["arn"]
    family = TopicFamily(run.aws, run.args["subscriptions"], purge=run.args["purge_subscriptions"])
    if run.args["existing"]:
        if not run.absent and not family.read([arn]):
            raise DeployError(f"the topic {arn} does not exist. Fix: correct sns_topic_arn, or leave it empty")
        return
    if run.absent:
        yield family, {arn: None}
        return
    topic = {
        "display_name": run.args["display_name"],
        "kms_key": run.lookup.key_arn(run.args["kms_key"]),
        "policy": run.args["policy"],
        "subscriptions": run.args["subscriptions"],
        "tags": run.args["tags"],
    }
    yield family, {arn: topic}


class TopicFamily(Family):
    """One item is one topic; its name is its ARN, which convention knows before AWS does.

    A subscription is {"protocol", "endpoint"}. One of the `declared` that waits for its owner's confirmation counts as
    made; those that others made are looked at only to `purge` them.
    """

    label = "SNS topic"
    unordered = ("subscriptions",)

    def __init__(self, aws: Aws, declared: Collection[Mapping[str, str]], *, purge: bool) -> None:
        super().__init__(aws)
        self._declared = declared
        self._purge = purge

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        """SNS has no bulk read: three small calls a topic."""
        return together(self._read_one, names)

    def _read_one(self, arn: str) -> Attributes | None:
        client = self.aws.client("sns")
        try:
            attributes = client.get_topic_attributes(TopicArn=arn)["Attributes"]
        except client.exceptions.NotFoundException:
            return None
        tags = client.list_tags_for_resource(ResourceArn=arn)["Tags"]
        subscriptions = list(self.aws.pages("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn))
        return {
            "display_name": attributes.get("DisplayName", ""),
            "kms_key": attributes.get("KmsMasterKeyId"),
            "policy": json.loads(attributes["Policy"]),
            "subscriptions": [_endpoint(item) for item in subscriptions if self._is_ours(item)],
            "tags": tag_map(tags),
            "_subscriptions": subscriptions,
        }

    def _is_ours(self, subscription: Mapping[str, str]) -> bool:
        if subscription["SubscriptionArn"] == "Deleted":  # by its owner; SNS lists it for some days
            return False
        confirmed = subscription["SubscriptionArn"].startswith("arn:")  # otherwise there is nothing to unsubscribe yet
        return _endpoint(subscription) in self._declared or (self._purge and confirmed)

    def create(self, name: str, after: Attributes) -> None:
        """CreateTopic takes everything but the subscriptions."""
        client = self.aws.client("sns")
        client.create_topic(
            Name=name.rsplit(":", 1)[-1],
            Attributes={api: _as_attribute(after[ours]) for ours, api in _ATTRIBUTE_NAMES.items()},
            Tags=tag_list(after["tags"]),
        )
        self._subscribe(name, after["subscriptions"])

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """Set each attribute that changed."""
        client = self.aws.client("sns")
        for ours, api in _ATTRIBUTE_NAMES.items():
            if ours in changed:
                client.set_topic_attributes(TopicArn=name, AttributeName=api, AttributeValue=_as_attribute(after[ours]))
        if "tags" in changed:
            if gone := removed(before["tags"], after["tags"]):
                client.untag_resource(ResourceArn=name, TagKeys=gone)
            client.tag_resource(ResourceArn=name, Tags=tag_list(after["tags"]))
        if "subscriptions" in changed:
            self._subscribe(name, [item for item in after["subscriptions"] if item not in before["subscriptions"]])
            for item in before["_subscriptions"]:
                if self._is_ours(item) and _endpoint(item) not in after["subscriptions"]:
                    client.unsubscribe(SubscriptionArn=item["SubscriptionArn"])

    def delete(self, name: str, before: Attributes) -> None:
        """DeleteTopic removes the subscriptions with it."""
        self.aws.client("sns").delete_topic(TopicArn=name)

    def _subscribe(self, arn: str, subscriptions: list[dict[str, str]]) -> None:
        for item in subscriptions:
            self.aws.client("sns").subscribe(TopicArn=arn, Protocol=item["protocol"], Endpoint=item["endpoint"])


def _endpoint(subscription: Mapping[str, str]) -> dict[str, str]:
    return {"protocol": subscription["Protocol"], "endpoint": subscription["Endpoint"]}


def _as_attribute(value: Any) -> str:
    return json.dumps(value) if isinstance(value, Mapping) else str(value)

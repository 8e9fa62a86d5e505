from __future__ import annotations

import json
from typing import Any

import pytest

from aurora_deploy.clients import Aws
from aurora_deploy.errors import DeployError
from aurora_deploy.families import topic

from .conftest import Converge

ARN = "arn:aws:sns:us-east-1:123456789012:aurora-restore-notifications"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:alerts"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": ARN,
        }
    ],
}
ARGS: dict[str, Any] = {
    "arn": ARN,
    "existing": False,
    "display_name": "restores",
    "kms_key": "alias/aurora-restore",
    "policy": POLICY,
    "subscriptions": [{"protocol": "sqs", "endpoint": QUEUE}],
    "purge_subscriptions": False,
    "tags": {"Project": "aurora-restore"},
    "state": "present",
}
MAIL = {"protocol": "email", "endpoint": "team@example.com"}


@pytest.fixture(autouse=True)
def _queue(aws: Aws) -> None:
    aws.client("sqs").create_queue(QueueName="alerts")


def subscribed(aws: Aws) -> set[str]:
    answer = aws.client("sns").list_subscriptions_by_topic(TopicArn=ARN)
    return {item["Endpoint"] for item in answer["Subscriptions"]}


def test_a_topic_is_made_as_declared_and_then_left_alone(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    assert run_plan(topic.plan, ARGS).items[0]["action"] == "create"
    attributes = aws.client("sns").get_topic_attributes(TopicArn=ARN)["Attributes"]
    assert attributes["KmsMasterKeyId"] == key_arn
    assert attributes["DisplayName"] == "restores"
    assert json.loads(attributes["Policy"]) == POLICY
    assert subscribed(aws) == {QUEUE}
    assert run_plan(topic.plan, ARGS).changed is False


@pytest.mark.parametrize(
    ("attribute", "drift"),
    [
        (
            "display_name",
            lambda c: c.set_topic_attributes(TopicArn=ARN, AttributeName="DisplayName", AttributeValue=""),
        ),
        (
            "kms_key",
            lambda c: c.set_topic_attributes(
                TopicArn=ARN, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns"
            ),
        ),
        (
            "policy",
            lambda c: c.set_topic_attributes(
                TopicArn=ARN,
                AttributeName="Policy",
                AttributeValue=json.dumps(POLICY).replace("cloudwatch", "events"),
            ),
        ),
        (
            "subscriptions",
            lambda c: c.unsubscribe(
                SubscriptionArn=c.list_subscriptions_by_topic(TopicArn=ARN)["Subscriptions"][0]["SubscriptionArn"]
            ),
        ),
        ("tags", lambda c: c.tag_resource(ResourceArn=ARN, Tags=[{"Key": "Extra", "Value": "x"}])),
    ],
)
def test_drift_is_announced_shown_and_mended(
    aws: Aws, key_arn: str, run_plan: Converge, attribute: str, drift: Any
) -> None:
    run_plan(topic.plan, ARGS)
    drift(aws.client("sns"))
    announced = run_plan(topic.plan, ARGS, check=True).result()
    assert list(announced["items"][0]["changes"]) == [attribute]
    assert run_plan(topic.plan, ARGS).result() == announced
    assert run_plan(topic.plan, ARGS).changed is False


def pending(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the topic's first subscription wait for its owner's confirmation, which moto never does."""
    client = aws.client("sns")
    listed = client.list_subscriptions_by_topic(TopicArn=ARN)
    listed["Subscriptions"][0]["SubscriptionArn"] = "PendingConfirmation"
    monkeypatch.setattr(aws, "pages", lambda *_, **__: iter(listed["Subscriptions"]))


def test_a_subscription_that_waits_for_confirmation_is_no_drift(
    aws: Aws, key_arn: str, run_plan: Converge, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_plan(topic.plan, ARGS | {"subscriptions": [MAIL]})
    pending(aws, monkeypatch)
    assert run_plan(topic.plan, ARGS | {"subscriptions": [MAIL]}).changed is False
    assert run_plan(topic.plan, ARGS | {"subscriptions": [], "purge_subscriptions": True}).changed is False


def test_subscriptions_of_others_stay_unless_they_are_to_be_purged(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    run_plan(topic.plan, ARGS | {"subscriptions": [MAIL]})
    outcome = run_plan(topic.plan, ARGS)
    assert outcome.items[0]["changes"]["subscriptions"] == {"before": [], "after": ARGS["subscriptions"]}
    assert subscribed(aws) == {QUEUE, MAIL["endpoint"]}
    purge = ARGS | {"purge_subscriptions": True}
    announced = run_plan(topic.plan, purge, check=True).result()
    assert announced["changed"] is True
    assert run_plan(topic.plan, purge).result() == announced
    assert subscribed(aws) == {QUEUE}
    assert run_plan(topic.plan, purge).changed is False


def test_an_existing_topic_is_looked_for_and_never_changed(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    with pytest.raises(DeployError, match=r"does not exist\. Fix: correct sns_topic_arn"):
        run_plan(topic.plan, ARGS | {"existing": True})
    aws.client("sns").create_topic(Name=ARN.rsplit(":", 1)[-1])
    for state in ("present", "absent"):
        outcome = run_plan(topic.plan, ARGS | {"existing": True, "state": state})
        assert (outcome.changed, outcome.items) == (False, [])
    assert subscribed(aws) == set()


def test_removal_takes_the_topic_away(aws: Aws, key_arn: str, run_plan: Converge) -> None:
    run_plan(topic.plan, ARGS)
    gone = ARGS | {"state": "absent"}
    assert run_plan(topic.plan, gone).items[0]["action"] == "delete"
    assert aws.client("sns").list_topics()["Topics"] == []
    assert run_plan(topic.plan, gone).changed is False


def test_a_subscription_that_its_owner_deleted_is_made_again(
    aws: Aws, key_arn: str, run_plan: Converge, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_plan(topic.plan, ARGS)
    gone = {"SubscriptionArn": "Deleted", "Protocol": "sqs", "Endpoint": QUEUE}
    monkeypatch.setattr(aws, "pages", lambda *_, **__: iter([gone]))
    [item] = run_plan(topic.plan, ARGS, check=True).items
    assert item["changes"] == {"subscriptions": {"before": [], "after": ARGS["subscriptions"]}}

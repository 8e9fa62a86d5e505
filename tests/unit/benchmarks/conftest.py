"""A small stack, in the form in which our modules announce it."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.stack import UNKNOWN, Stack

TAGS = {"Project": "ar"}
TOPIC = "arn:aws:sns:eu-west-1:123456789012:ar-notifications"


def announced(name: str, **attributes: Any) -> dict[str, Any]:
    """An item of a result in check mode on an empty account."""
    changes = {key: {"before": None, "after": value} for key, value in attributes.items()}
    return {"name": name, "action": "create", "changes": changes}


def _function(step: str) -> dict[str, Any]:
    return announced(
        f"ar-{step}",
        architecture="arm64",
        dead_letter_target=TOPIC,
        description=step,
        environment={"NAME": "it's", "VPC_ID": UNKNOWN, "SUBNET_IDS": UNKNOWN, "KMS_KEY_ID": UNKNOWN},
        handler="h",
        memory=256,
        role=f"arn:aws:iam::123456789012:role/ar-{step}-role",
        runtime="python3.13",
        security_group_ids=[UNKNOWN],
        subnet_ids=[UNKNOWN],
        tags=TAGS,
        timeout=300,
        tracing="Active",
    )


def _alarm(name: str, statistic: str) -> dict[str, Any]:
    return announced(
        name,
        alarm_actions=[TOPIC],
        comparison="GreaterThanThreshold",
        description="d",
        dimensions={"FunctionName": "ar-verify-restore"},
        evaluation_periods=1,
        metric="Errors",
        missing_data="notBreaching",
        namespace="AWS/Lambda",
        period=60,
        statistic=statistic,
        tags=TAGS,
        threshold=1,
    )


RULE = {"protocol": "tcp", "from_port": 443, "to_port": 443, "description": "d"}
RESULTS: dict[str, list[dict[str, Any]]] = {
    "aurora_restore_kms_key": [
        announced("alias/ar", alias="alias/ar", description="d", policy={"Statement": []}, tags=TAGS)
    ],
    "aurora_restore_secrets": [announced("ar/master", description="d", kms_key=UNKNOWN, tags=TAGS)],
    "aurora_restore_tables": [
        announced(
            "ar-audit",
            billing_mode="PAY_PER_REQUEST",
            kms_key=UNKNOWN,
            partition_key="operation_id",
            point_in_time_recovery=True,
            sort_key="timestamp",
            tags=TAGS,
            ttl_attribute="expires_at",
        )
    ],
    "aurora_restore_topic": [announced(TOPIC, display_name="d", kms_key=UNKNOWN, policy={"Statement": []}, tags=TAGS)],
    "aurora_restore_network": [
        announced("ar-vpc", cidr="10.0.0.0/20", dns_hostnames=True, dns_support=True, tags=TAGS),
        announced(
            "ar-private-1", cidr="10.0.0.0/23", public_addresses=False, tags=TAGS, vpc="ar-vpc", zone="eu-west-1a"
        ),
        announced("ar-private", routes={}, subnets=["ar-private-1"], tags=TAGS, vpc="ar-vpc"),
        announced("ar-functions", description="f", tags=TAGS, vpc="ar-vpc"),
        announced("ar-endpoints", description="e", tags=TAGS, vpc="ar-vpc"),
        announced("ar-functions", egress=[{**RULE, "peer": "ar-endpoints"}], ingress=[]),
        announced("ar-endpoints", egress=[{**RULE, "peer": "com.amazonaws.eu-west-1.s3"}], ingress=[]),
        announced(
            "ar-rds",
            private_dns=True,
            security_groups=["ar-endpoints"],
            service="com.amazonaws.eu-west-1.rds",
            subnets=["ar-private-1"],
            tags=TAGS,
            type="Interface",
            vpc="ar-vpc",
        ),
        announced(
            "ar-s3",
            route_tables=["ar-private"],
            service="com.amazonaws.eu-west-1.s3",
            tags=TAGS,
            type="Gateway",
            vpc="ar-vpc",
        ),
    ],
    "aurora_restore_iam_roles": [
        announced(
            "ar-verify-restore-role",
            policies={"step": {"Statement": [{"Resource": [UNKNOWN]}]}},
            tags=TAGS,
            trust_policy={"Statement": []},
        )
    ],
    "aurora_restore_log_groups": [
        announced("/aws/lambda/ar-verify-restore", kms_key=UNKNOWN, retention_days=30, tags=TAGS),
        announced("ar-log-delivery", document={"Statement": []}),
    ],
    "aurora_restore_functions": [_function("verify-restore"), _function("notify-start")],
    "aurora_restore_state_machine": [
        announced("ar-machine", definition={"StartAt": "A"}, role="arn:aws:iam::123456789012:role/sfn", tags=TAGS)
    ],
    "aurora_restore_alarms": [_alarm("ar-errors", "Sum"), _alarm("ar-duration", "p99")],
    "aurora_restore_dashboard": [announced("ar", body={"widgets": []})],
}


@pytest.fixture
def stack() -> Stack:
    return Stack.from_results(RESULTS)

"""A deployment that AWS throttles, or that somebody kills, ends as one that nothing happened to: nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.integration.site.conftest import Site
from tests.integration.site.describe import described, differences
from tests.integration.site.drift import STEP, SWEEP

VARIABLES = {"pipeline_functions": [STEP, SWEEP], "vpc_interface_services": ["rds"], "vpc_gateway_services": ["s3"]}

# A call of each kind of service API, refused as that service refuses: its own code, and its HTTP status.
THROTTLED = [
    ("kms", "CreateKey", "ThrottlingException"),
    ("secretsmanager", "CreateSecret", "ThrottlingException"),
    ("dynamodb", "DescribeTable", "ThrottlingException"),
    ("sns", "CreateTopic", "Throttling"),
    ("ec2", "CreateVpc", "RequestLimitExceeded"),
    ("ec2", "DescribeSubnets", "RequestLimitExceeded"),
    ("ec2", "CreateVpcEndpoint", "RequestLimitExceeded"),
    ("iam", "CreateRole", "Throttling"),
    ("logs", "CreateLogGroup", "ThrottlingException"),
    ("lambda", "CreateFunction", "TooManyRequestsException"),
    ("states", "CreateStateMachine", "ThrottlingException"),
    ("monitoring", "PutMetricAlarm", "Throttling"),
]

# After the first call of each of these the deployment is killed, so that what follows is missing.
KILLED_AFTER = [
    "kms.CreateKey",
    "ec2.CreateVpc",
    "ec2.CreateSecurityGroup",
    "lambda.CreateFunction",
    "states.CreateStateMachine",
]


@pytest.fixture(scope="module")
def undisturbed(new_site: Callable[..., Site]) -> Site:
    """The deployment that the others are held against."""
    site = new_site("666666666666", **VARIABLES)
    site.deploy()
    return site


def assert_like(site: Site, other: Site) -> None:
    """Nothing is missing, nothing differs, nothing is there twice, and a further run has nothing to do."""
    mine, wanted = described(site), described(other)
    assert {kind: items.keys() for kind, items in mine.items()} == {
        kind: items.keys() for kind, items in wanted.items()
    }
    assert list(differences(mine, wanted)) == []
    assert counted(site) == counted(other)
    assert site.deploy().changed == []


def counted(site: Site) -> Counter[str]:
    """How many there are of what has no unique name: keys, and everything of a network."""
    ec2 = site.client("ec2")
    tags = [tag for page in ec2.get_paginator("describe_tags").paginate() for tag in page["Tags"]]
    kinds = Counter(tag["ResourceType"] for tag in tags if tag["Key"] == "Project")
    return kinds + Counter(key=len(site.client("kms").list_keys()["Keys"]))


def test_a_throttled_deployment_ends_like_any_other(new_site: Callable[..., Site], undisturbed: Site) -> None:
    site = new_site("777777777777", **VARIABLES)
    for service, action, code in THROTTLED:
        site.emulate("POST", "faults", service=service, action=action, error_code=code, count=2)
    site.deploy()
    assert site.emulate("GET", "faults") == [], "a fault that no call met proves nothing"
    assert_like(site, undisturbed)


def test_a_killed_deployment_is_finished_by_the_next_and_makes_nothing_twice(
    new_site: Callable[..., Site], undisturbed: Site
) -> None:
    site = new_site("888888888888", **VARIABLES)
    site.emulate("POST", "latency", ms=30)  # or the run would be far beyond the call before the signal reaches it
    for call in KILLED_AFTER:
        site.emulate("DELETE", "calls")
        assert site.killed("site.yml", lambda call=call: site.emulate("GET", "calls").get(call)), call  # type: ignore[misc]
    site.emulate("POST", "latency", ms=0)
    site.deploy()
    assert_like(site, undisturbed)

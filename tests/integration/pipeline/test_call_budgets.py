"""How many API calls each role makes when nothing has changed: more is slower, and is throttled by AWS.

What a role needs at least, AWS decides: docs/decisions.md, "Deployment speed", says which reads have no bulk form.
"""

from __future__ import annotations

from collections import Counter

import pytest
import yaml

from tests.integration.pipeline.conftest import LocalAws

PREFLIGHT = 1  # GetCallerIdentity, in every run
BUDGETS = {
    "kms": 4,
    "secrets": 5,  # two of each secret, and the key
    "dynamodb": 9,  # four of each table, and the key
    "sns": 4,
    "vpc": 11,
    "iam": 2,  # every role in one call
    "stepfunctions": 9,
}
"""Calls of each role besides the preflight's."""


def calls(aws: LocalAws, *arguments: str) -> Counter[str]:
    """Deploy again, and return the calls by service and action."""
    aws.emulator.request("DELETE", "/_emulator/calls")
    assert aws.deploy(*arguments).changed == 0
    return Counter(aws.emulator.request("GET", "/_emulator/calls"))


@pytest.fixture(scope="session")
def functions(deployed: LocalAws) -> int:
    """How many functions there are."""
    return len(deployed.client("lambda").list_functions(MaxItems=50)["Functions"])


@pytest.mark.parametrize(("role", "budget"), BUDGETS.items())
def test_a_role_keeps_its_budget(deployed: LocalAws, role: str, budget: int) -> None:
    made = calls(deployed, "--tags", role)
    assert made.total() <= budget + PREFLIGHT, yaml.safe_dump(dict(made))


def test_the_functions_cost_five_calls_each_and_their_log_groups_one(deployed: LocalAws, functions: int) -> None:
    made = calls(deployed, "--tags", "lambda")
    shared = 8  # the listings, the key for groups and functions, the network
    assert made.total() <= 6 * functions + shared + PREFLIGHT, yaml.safe_dump(dict(made))


def test_the_alarms_cost_one_call_each(deployed: LocalAws) -> None:
    made = calls(deployed, "--tags", "alarms")
    alarms = len(deployed.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"])
    assert made.total() <= alarms + 2 + PREFLIGHT, yaml.safe_dump(dict(made))


def test_nothing_is_written_or_waited_for(deployed: LocalAws) -> None:
    reading = ("Describe", "Get", "List", "BatchGet")
    assert [name for name in calls(deployed) if not name.partition(".")[2].startswith(reading)] == []

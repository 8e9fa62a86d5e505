"""How many API calls each role makes when nothing has changed: more is slower, and is throttled by AWS.

What a role needs at least, AWS decides: docs/decisions.md, "Deployment speed", says which reads have no bulk form.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

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


def calls(aws: LocalAws, *arguments: str, changed: int = 0, **variables: Any) -> Counter[str]:
    """Deploy again, which changes as much as is said, and return the calls by service and action."""
    aws.emulator.request("DELETE", "/_emulator/calls")
    assert aws.deploy(*arguments, **variables).changed == changed
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


def written(made: Counter[str]) -> dict[str, int]:
    """The calls that change something."""
    reading = ("Describe", "Get", "List", "BatchGet")
    return {name: count for name, count in made.items() if not name.partition(".")[2].startswith(reading)}


def test_nothing_is_written_where_nothing_has_changed(deployed: LocalAws) -> None:
    assert written(calls(deployed)) == {}


def test_one_edited_function_is_all_that_is_written_and_no_code_is_uploaded(deployed: LocalAws) -> None:
    edit = {"lambda_overrides": {"verify-restore": {"memory": 512}}}
    made = calls(deployed, "--tags", "lambda", changed=1, **edit)
    # The emulator counts UpdateAlias among the ListAliases: both have one path.
    assert written(made) == {"lambda.UpdateFunctionConfiguration": 1, "lambda.PublishVersion": 1}
    assert deployed.deploy("--tags", "lambda").changed == 1

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
    "sns": 4,  # three, and the key
    "vpc": 9,
    "iam": 2,  # every role in one call, and the key
    "stepfunctions": 9,  # three for the logs, four for the state machine, and the key for each of the two
    "events": 6,  # two of each rule, the rules, and the function's policy
    "alarms": 3,  # the alarms, their tags, the dashboard
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


def test_the_functions_cost_two_calls_each_and_their_log_groups_none(deployed: LocalAws, functions: int) -> None:
    made = calls(deployed, "--tags", "lambda")
    shared = 9  # both listings, the groups' tags, the sweep's asynchronous calls, the key for both, the network
    assert made.total() <= 2 * functions + shared + PREFLIGHT, yaml.safe_dump(dict(made))


def test_a_whole_run_asks_for_the_key_and_the_network_once(deployed: LocalAws, functions: int) -> None:
    made = calls(deployed)
    lookups = {"secrets": 1, "dynamodb": 1, "sns": 1, "iam": 1, "stepfunctions": 2}
    rest = sum(BUDGETS.values()) - sum(lookups.values())
    shared = 4  # the functions' role: both listings, the groups' tags, the sweep's asynchronous calls
    assert made.total() <= 2 * functions + rest + shared + PREFLIGHT, yaml.safe_dump(dict(made))


def written(made: Counter[str]) -> dict[str, int]:
    """The calls that change something."""
    reading = ("Describe", "Get", "List", "BatchGet")
    return {name: count for name, count in made.items() if not name.partition(".")[2].startswith(reading)}


def test_nothing_is_written_where_nothing_has_changed(deployed: LocalAws) -> None:
    assert written(calls(deployed)) == {}


def test_one_edited_function_is_all_that_is_written_and_no_code_is_uploaded(
    deployed: LocalAws, functions: int
) -> None:
    edit = {"lambda_overrides": {"verify-restore": {"memory": 512}}}
    made = calls(deployed, "--tags", "lambda", changed=1, **edit)
    assert made.total() <= 2 * functions + 9 + PREFLIGHT + 8, yaml.safe_dump(dict(made))  # the waits among the eight
    # The emulator counts UpdateAlias among the ListAliases: both have one path.
    assert written(made) == {"lambda.UpdateFunctionConfiguration": 1, "lambda.PublishVersion": 1}
    assert deployed.deploy("--tags", "lambda").changed == 1

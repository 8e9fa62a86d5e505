"""The same values through the stock modules and through ours leave the same resources, but for what is listed here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.site.conftest import REGION, Site
from tests.integration.site.describe import described, differences
from tests.integration.site.drift import QUEUE, STEP, SWEEP

OURS, STOCK, EMPTY = "333333333333", "444444444444", "555555555555"
# One of each is enough: a stock module takes half a second for each resource.
VARIABLES: dict[str, Any] = {
    "pipeline_functions": [STEP, SWEEP],
    "vpc_interface_services": ["rds"],
    "vpc_gateway_services": ["s3"],
    "sns_subscriptions": [{"protocol": "sqs", "endpoint": QUEUE}],
}
CHANGED: dict[str, Any] = {
    "environment_name": "other",  # a tag of everything
    "alarms_period_seconds": 60,
    "lambda_log_retention_days": 3,
    "lambda_memory_size": 512,
    "lambda_timeout_seconds": 120,  # and with it a threshold, a timeout of the definition, an environment variable
    "sns_display_name": "changed",
    "vpc_database_ports": [5432],
}
ALARMS = (f"ar-{STEP}-duration", "ar-step-functions-failures")  # of the many, one of each form

# What the stock modules cannot set, by kind: paths in what AWS describes. Nothing else differs.
EXCEPTIONS: dict[str, set[str]] = {
    "alarms": {"tags"},
    "functions": {
        "asynchronous",
        "configuration.LoggingConfig.ApplicationLogLevel",
        "configuration.LoggingConfig.LogFormat",
    },
    "machines": {
        "aliases",
        "machine.encryptionConfiguration.kmsDataKeyReusePeriodSeconds",
        "machine.encryptionConfiguration.kmsKeyId",
        "machine.encryptionConfiguration.type",
        "machine.loggingConfiguration.destinations",
        "machine.loggingConfiguration.level",
        "machine.tracingConfiguration.enabled",
    },
    "tables": {"backups.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus", "table.SSEDescription"},
    "topics": {"attributes.KmsMasterKeyId"},
}


@pytest.fixture(scope="module")
def ours(new_site: Callable[..., Site]) -> Site:
    return new_site(OURS, **VARIABLES)


@pytest.fixture(scope="module")
def stock(new_site: Callable[..., Site]) -> Site:
    return new_site(STOCK, **VARIABLES)


def declared(site: Site, empty: Site, **variables: Any) -> dict[str, Any]:
    """What our check mode announces on an empty account, as variables of the stock playbook."""
    items = empty.deploy("--check", "--diff", **variables).items
    text = json.dumps([[item.kind, item.name, item.changes] for item in items]).replace(EMPTY, site.account)
    found: dict[str, dict[str, Any]] = {}
    for kind, name, changes in json.loads(text):
        if kind != "alarm" or name in ALARMS:
            found.setdefault(kind, {})[name] = {key: change["after"] for key, change in changes.items()}
    rules = {
        name: {direction: [_rule(site, rule) for rule in rules] for direction, rules in directions.items()}
        for name, directions in found["rules of security group"].items()
    }
    return {"declared": found, "rules": rules}


def _rule(site: Site, rule: dict[str, Any]) -> dict[str, Any]:
    """One of our security group rules in the stock module's form."""
    peer = rule["peer"]
    result = {"proto": rule["protocol"], "from_port": rule["from_port"], "to_port": rule["to_port"]}
    if "/" in peer:
        party = {"cidr_ip": peer}
    elif peer.startswith("com.amazonaws."):
        lists = site.client("ec2").describe_managed_prefix_lists()["PrefixLists"]
        party = {"ip_prefix": next(item["PrefixListId"] for item in lists if item["PrefixListName"] == peer)}
    else:
        party = {"group_name": peer}
    return {**result, **party, "rule_desc": rule["description"]}


def assert_same(ours: Site, stock: Site) -> None:
    """Compare what AWS describes, resource by resource."""
    mine, theirs = described(ours), described(stock)
    found: dict[str, set[str]] = {}
    for kind, items in theirs.items():
        assert items.keys() == {name for name in mine[kind] if kind != "alarms" or name in ALARMS}, kind
        for name, item in items.items():
            found.setdefault(kind, set()).update(differences(mine[kind][name], item))
    assert {kind: paths for kind, paths in found.items() if paths} == EXCEPTIONS


def test_made_changed_and_removed(ours: Site, stock: Site, new_site: Callable[..., Site]) -> None:
    playbook = "tests/integration/site/stock/site.yml"
    empty = new_site(EMPTY, **VARIABLES)
    for variables in ({}, CHANGED):
        ours.deploy(**variables)
        inputs = declared(stock, empty, **variables)
        play(stock, playbook, **variables, **inputs)
        assert_same(ours, stock)
    play(ours, "playbooks/destroy.yml", confirm=ours.prefix)
    play(stock, playbook, stock_state="absent", **inputs)
    nothing: dict[str, Any] = {kind: {} for kind in described(empty)}
    assert described(ours) == nothing
    assert described(stock) == nothing


def play(site: Site, playbook: str, **variables: Any) -> None:
    """Run a playbook; it must not fail."""
    run = site.play(playbook, **{"region": REGION, **variables})
    assert run.code == 0, run.output

"""What check mode announces is what the next run does, for every resource and attribute that site.yml sets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from aurora_deploy.diff import UNKNOWN
from tests.integration.site.conftest import REGION, Item, Run, Site
from tests.integration.site.drift import FIXED, NAT_TABLE, OTHER_STEP, QUEUE, STEP, SWEEP, TABLE, Drift

KEYS = {"changed", "items", "diff"}


@pytest.fixture(scope="module")
def site(new_site: Callable[..., Site]) -> Site:
    """A deployment of three functions; these tests depend on each other, in their order."""
    return new_site(
        "111111111111",
        pipeline_functions=[STEP, OTHER_STEP, SWEEP],
        vpc_interface_services=["rds"],
        sns_subscriptions=[{"protocol": "sqs", "endpoint": QUEUE}],
        sns_purge_subscriptions=True,
    )


@pytest.fixture(scope="module")
def made(site: Site) -> Run:
    """The first run on the empty account, after check mode announced it."""
    announced, made = site.deploy("--check", "--diff"), site.deploy("--diff")
    assert_kept(announced, made)
    return made


@pytest.fixture(scope="module")
def nat_site(new_site: Callable[..., Site]) -> Site:
    """A network whose functions go through a NAT gateway."""
    return new_site("222222222222", vpc_egress="nat")


def agrees(announced: Any, done: Any) -> bool:
    """Tell whether a value is what was announced, where `UNKNOWN` stands for whatever AWS then assigns."""
    if isinstance(announced, dict) and isinstance(done, dict):
        return announced.keys() == done.keys() and all(agrees(value, done[key]) for key, value in announced.items())
    if isinstance(announced, list) and isinstance(done, list) and announced != [UNKNOWN]:
        return len(announced) == len(done) and all(map(agrees, announced, done))
    return bool(announced == done or announced in (UNKNOWN, [UNKNOWN]))


def assert_kept(announced: Run, done: Run) -> None:
    """Item by item, a run did what check mode said, and both say so in the same form."""
    assert [item.key for item in announced.items] == [item.key for item in done.items]
    broken = [
        (one.key, one.changes, other.changes)
        for one, other in zip(announced.items, done.items, strict=True)
        if not agrees(one.changes, other.changes)
    ]
    assert broken == []
    for run in (announced, done):
        for item in run.changed:
            assert_diff_shows(item)
        for task, result in run.results.items():
            assert result.keys() >= KEYS, task
            assert result["changed"] is any(item["action"] != "none" for item in result["items"]), task


def assert_diff_shows(item: Item) -> None:
    """The text of `--diff` and the item's changes are the same, and nothing else differs in the text."""
    before, after = (json.loads(item.diff[side] or "{}") for side in ("before", "after"))
    differing = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if item.action == "update":
        assert differing == item.changes.keys()
        assert all(change == {"before": before[name], "after": after[name]} for name, change in item.changes.items())
    elif item.action == "create":
        assert (before, after) == ({}, {name: change["after"] for name, change in item.changes.items()})
    else:
        assert (after, item.changes) == ({}, {})
        assert before


def named(drift: Drift, site: Site) -> tuple[str, str]:
    """Kind and name of the item that a change happens to."""
    return drift.kind, drift.name.format(site.prefix, account=site.account)


def changes_by_item(items: Iterable[Item]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(item.kind, item.name): item.changes for item in items}


def drift_and_mend(site: Site, table: Iterable[Drift], declared: Run, *arguments: str) -> None:
    """Make every change of the table at once; see each found and shown, the declared value put back, then silence."""
    for drift in table:
        drift.change(site, site.client(drift.service), named(drift, site)[1])
    announced, mended = (site.deploy("--check", "--diff", *arguments), site.deploy("--diff", *arguments))
    assert_kept(announced, mended)
    wanted = changes_by_item(declared.items)
    shown = changes_by_item(announced.changed)
    missed = {
        (*named(drift, site), name)
        for drift in table
        for name in drift.attributes
        if name not in shown.get(named(drift, site), {})
    }
    assert missed == set()
    for drift in table:
        for name in drift.attributes:
            change = shown[named(drift, site)][name]
            assert change["before"] != change["after"]
            assert agrees(wanted[named(drift, site)][name]["after"], change["after"])
    assert site.deploy("--diff", *arguments).changed == []
    assert site.deploy("--check", "--diff", *arguments).changed == []


def test_an_empty_account_gets_what_was_announced_and_then_nothing_changes(site: Site, made: Run) -> None:
    assert {item.action for item in made.items} == {"create"}
    for arguments in (["--check", "--diff"], ["--diff"]):
        again = site.deploy(*arguments)
        assert again.changed == []
        assert again.results.keys() == made.results.keys()
        assert [item.name for item in again.items] == [item.name for item in made.items]
        assert all(result.keys() >= KEYS for result in again.results.values())


def test_the_tables_of_changes_lack_no_attribute(site: Site, made: Run, nat_site: Site) -> None:
    declared: dict[str, set[str]] = {}
    for item in (*made.items, *nat_site.deploy("--check", "--tags", "vpc").items):
        declared.setdefault(item.kind, set()).update(item.changes)
    listed: dict[str, set[str]] = {kind: set(names) for kind, names in FIXED.items()}
    for drift in (*TABLE, *NAT_TABLE):
        listed.setdefault(drift.kind, set()).update(drift.attributes)
    assert declared == listed


def test_every_change_behind_ansibles_back_is_found_shown_and_mended(site: Site, made: Run) -> None:
    drift_and_mend(site, TABLE, made)


def test_the_functions_go_to_a_further_zone_as_announced(site: Site, made: Run) -> None:
    zones = [f"{REGION}{letter}" for letter in "abc"]
    announced, done = site.deploy("--check", vpc_zones=zones), site.deploy(vpc_zones=zones)
    assert [item.key for item in announced.items] == [item.key for item in done.items]
    for run in (announced, done):
        [function] = [item for item in run.changed if (item.kind, item.name) == ("function", f"ar-{STEP}")]
        assert function.changes.keys() == {"environment", "subnet_ids"}
        assert set(function.changes["subnet_ids"]["before"]) < set(function.changes["subnet_ids"]["after"])
    assert site.deploy(vpc_zones=zones).changed == []


def test_a_network_with_a_nat_gateway_is_kept_as_well(nat_site: Site) -> None:
    announced, made = nat_site.deploy("--check", "--tags", "vpc"), nat_site.deploy("--tags", "vpc")
    assert_kept(announced, made)
    drift_and_mend(nat_site, NAT_TABLE, made, "--tags", "vpc")

"""The order in which playbooks/destroy.yml removes what site.yml made."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]


def roles(playbook: str) -> list[str]:
    """The roles of a playbook, in their order."""
    return [role["role"] for role in yaml.safe_load((ROOT / playbook).read_text(encoding="utf-8"))[0]["roles"]]


def test_everything_that_is_made_is_removed_by_a_run_that_was_checked_first() -> None:
    assert roles("playbooks/destroy.yml")[0] == "preflight"
    assert sorted(roles("playbooks/destroy.yml")) == sorted(roles("site.yml"))


def test_the_network_goes_between_the_functions_and_their_roles() -> None:
    """Lambda removes a function's network interfaces with the rights of the function's role, minutes after the function
    (Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC")."""
    order = roles("playbooks/destroy.yml")
    assert order.index("lambda") < order.index("vpc") < order.index("iam")


def test_the_key_goes_last() -> None:
    assert roles("playbooks/destroy.yml")[-1] == "kms"

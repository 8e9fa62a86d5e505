"""The policies of the key and of the topic, rendered as a deployment would render them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from aurora_restore.planning.key_policy import NEEDED, Verdict, judge

ROOT = Path(__file__).resolve().parents[3]
ACCOUNT = "123456789012"
POLICIES = {"kms": "kms_policy", "sns": "sns_policy"}


def statements(role: str) -> list[dict[str, Any]]:
    """The statements of a role's resource policy."""
    loader = DataLoader()
    variables: dict[str, Any] = {"region": "us-east-1", "account_id": ACCOUNT, "name_prefix": "aurora-restore"}
    for file in ("vars/names.yml", f"roles/{role}/vars/main.yml"):
        variables |= loader.load_from_file(str(ROOT / file), trusted_as_template=True)
    rendered = Templar(loader=loader, variables=variables).template(variables[POLICIES[role]])
    found: list[dict[str, Any]] = json.loads(json.dumps(rendered))["Statement"]
    return found


@pytest.mark.parametrize("role", sorted(POLICIES))
def test_a_service_may_act_only_for_this_account(role: str) -> None:
    """Without a condition any account could have the service use the key or the topic."""
    services = [item for item in statements(role) if item["Effect"] == "Allow" and "Service" in item["Principal"]]
    assert services
    for statement in services:
        values = [text for test in statement["Condition"].values() for text in test.values()]
        assert all(ACCOUNT in str(value) for value in values), statement["Sid"]


def test_nobody_may_do_everything_with_the_key() -> None:
    actions = [action for item in statements("kms") for action in item["Action"]]
    assert "kms:*" not in actions


def test_the_topic_takes_nothing_without_tls() -> None:
    denied = [item for item in statements("sns") if item["Effect"] == "Deny"]
    assert [item["Condition"] for item in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]


@pytest.mark.parametrize("step", ["copy-snapshot", "restore-snapshot", "create-instances"])
@pytest.mark.parametrize("action", NEEDED)
def test_the_key_that_the_role_makes_passes_the_preflight_of_a_restore(step: str, action: str) -> None:
    role, key = f"arn:aws:iam::{ACCOUNT}:role/aurora-restore-{step}-role", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/ours"
    assert judge({"Statement": statements("kms")}, role, key, action).verdict == Verdict.ALLOWED

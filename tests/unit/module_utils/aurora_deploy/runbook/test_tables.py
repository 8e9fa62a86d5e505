"""The tables where there are none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from aurora_deploy.clients import Aws
from aurora_deploy.errors import DeployError
from aurora_deploy.runbook.tables import audit_events, state_item


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An empty account."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield Aws("us-east-1")


def test_a_missing_table_says_to_deploy_first(aws: Aws) -> None:
    for read in (state_item, audit_events):
        with pytest.raises(DeployError, match=r"the table nosuch does not exist\. Fix: deploy first"):
            read(aws, "nosuch", "op-one")

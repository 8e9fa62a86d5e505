"""status.yml and abort.yml on an operation that has ended."""

from __future__ import annotations

from tests.integration.pipeline.conftest import Shop


def test_an_operation_that_is_over_is_shown_and_cannot_be_aborted(shop: Shop) -> None:
    planned = shop.aws.play("playbooks/restore.yml", target="orders-staging", operation="planned", dry_run=True)
    assert planned.changed == 0
    assert "port = 5432 (from the target)" in planned.output
    listed = shop.aws.play("playbooks/status.yml")
    assert "planned " in listed.output
    assert listed.changed == 0
    refused = shop.aws.play("playbooks/abort.yml", operation="planned")
    assert refused.code != 0
    assert "has succeeded and cannot be aborted" in refused.output

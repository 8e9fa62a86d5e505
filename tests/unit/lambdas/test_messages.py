"""The texts of the notifications."""

from __future__ import annotations

from typing import Any

import pytest

from aurora_restore import messages
from tests.unit.lambdas.pipeline import Pipeline

PLAN: dict[str, Any] = {
    "operation_id": "op-1",
    "action": "restore",
    "target": {"cluster": "orders-staging"},
    "source": {"text": "snapshot s", "region": "us-east-1", "created_at": None},
}


@pytest.mark.parametrize(
    "archive",
    [{"old_cluster_id": "old", "expires_at": "soon"}, {"side_by_side": "new", "expires_at": "soon"}],
)
@pytest.mark.parametrize(
    ("credentials", "line"),
    [
        ({"stopped": ["event shop.mail"], "stopped_count": 1}, "Stopped: event shop.mail\n"),
        ({"stopped": ["event a.b", "event a.c"], "stopped_count": 5}, "Stopped: event a.b, event a.c and 3 more\n"),
        ({"stopped": [], "stopped_count": 0}, "Stopped: nothing had to be\n"),
    ],
)
def test_a_success_names_what_was_stopped(archive: dict[str, Any], credentials: dict[str, Any], line: str) -> None:
    document = {"archive": archive, "credentials": credentials}
    _, text = messages.succeeded(Pipeline().context.settings, PLAN, 60, document)
    assert line in text

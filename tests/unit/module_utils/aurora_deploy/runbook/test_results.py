from __future__ import annotations

from typing import Any

import pytest

from aurora_deploy.runbook.results import words


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"status": "copying", "percent": 40, "done": False, "wait_seconds": 30}, "copying, 40 %, next look in 30 s"),
        ({"status": "available", "done": True, "wait_seconds": 0}, "available"),
        ({"status": {"a-1": "creating", "a-2": "available", "a-3": "creating"}}, "available and creating"),
        ({"checks": [{"name": "user app"}, {"name": "table orders"}]}, "2 checks passed"),
        (
            {"source": {"snapshot_id": "nightly", "cluster": "orders-prod", "created_at": "2026-11-23T01:00:00Z"}},
            "nightly of orders-prod, taken 2026-11-23T01:00:00Z",
        ),
        ({"owner": "op-1", "token": 3}, ""),
    ],
)
def test_words_are_those_of_interest(result: dict[str, Any], expected: str) -> None:
    assert words(result) == expected

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
        ({"passed": 2, "checks": [{"name": "user app"}]}, "2 checks passed"),
        (
            {"source": {"text": "snapshot nightly of orders-prod", "created_at": "2026-11-23T01:00:00Z"}},
            "snapshot nightly of orders-prod, data of 2026-11-23T01:00:00Z",
        ),
        ({"source": {"text": "a clone of orders-prod", "created_at": None}}, "a clone of orders-prod"),
        (
            {
                "source": {"text": "a clone of orders-prod", "created_at": None},
                "target": {"cluster": "orders-staging"},
                "replace": {"needed": True, "final_snapshot": "f"},
            },
            "a clone of orders-prod; REMOVES orders-staging first, after snapshot f: clients have no database",
        ),
        ({"status": "copying", "hop": 2, "hops": 2, "percent": 5}, "copying, copy 2 of 2, 5 %"),
        ({"status": "copying", "hop": 1, "hops": 1}, "copying"),
        ({"owner": "op-1", "token": 3}, ""),
    ],
)
def test_words_are_those_of_interest(result: dict[str, Any], expected: str) -> None:
    assert words(result) == expected

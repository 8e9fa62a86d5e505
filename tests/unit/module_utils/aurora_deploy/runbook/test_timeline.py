from __future__ import annotations

from typing import Any

from aurora_deploy.runbook.text import clock, duration
from aurora_deploy.runbook.timeline import plain, timeline


def entry(timestamp: str, step: str, status: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"operation_id": "op", "timestamp": timestamp, "step": step, "status": status, "details": details or {}}


def test_items_become_plain_values() -> None:
    item = {"a": {"N": "3"}, "b": {"N": "1.5"}, "c": {"M": {"d": {"L": [{"SS": ["y", "x"]}]}}}, "e": {"BOOL": True}}
    assert plain(item) == {"a": 3, "b": 1.5, "c": {"d": [["x", "y"]]}, "e": True}


def test_the_timeline_is_in_order_with_the_time_each_step_took() -> None:
    lines = timeline(
        [
            entry("2026-11-23T07:00:04.500000Z", "RestoreSnapshot", "STARTED"),
            entry("2026-11-23T07:00:00.000000Z", "SnapshotCheck", "STARTED"),
            entry("2026-11-23T07:00:04.000000Z", "SnapshotCheck", "SUCCEEDED", {"snapshot": "s-1", "gib": 12}),
        ]
    )
    assert [line.split() for line in lines] == [
        ["0.0", "s", "SnapshotCheck", "STARTED"],
        ["4.0", "s", "SnapshotCheck", "SUCCEEDED", "4", "s", "snapshot=s-1,", "gib=12"],
        ["4.5", "s", "RestoreSnapshot", "STARTED"],
    ]


def test_things_that_have_names_are_told_by_them() -> None:
    checks = [{"name": "user app", "passed": True}, {"name": "table shop.orders", "passed": True}]
    (line,) = timeline([entry("2026-11-23T07:00:00Z", "VerifyRestore", "SUCCEEDED", {"checks": checks, "gib": 2})])
    assert line.endswith("checks=user app and table shop.orders, gib=2")


def test_long_details_are_cut_and_stay_on_one_line() -> None:
    (line,) = timeline([entry("2026-11-23T07:00:00Z", "SetupDbUsers", "SUCCEEDED", {"grants": "x\n" * 500})])
    assert line.endswith("…")
    assert "\n" not in line


def test_times_are_written_with_useful_precision() -> None:
    assert [duration(s) for s in (0.44, 9.96, 42.4, 185, 7620)] == [
        "0.4 s",
        "10.0 s",
        "42 s",
        "3 min 05 s",
        "2 h 07 min",
    ]
    assert [clock(s) for s in (-1, 59.9, 3725)] == ["0:00:00", "0:00:59", "1:02:05"]

from __future__ import annotations

from typing import Any

from aurora_deploy.families.alarm_plan import declare
from aurora_deploy.families.dashboard import dashboard_body

ARGS: dict[str, Any] = {
    "name_prefix": "ar",
    "state_machine_arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:ar-state-machine",
    "functions": [{"step": "snapshot-check", "timeout": 300}, {"step": "verify-restore", "timeout": 900}],
    "actions": ["arn:aws:sns:eu-west-1:123456789012:ar-notifications"],
    "duration_percent": 80,
    "period": 300,
    "evaluation_periods": 1,
    "tags": {"Project": "ar"},
}


def test_there_are_four_alarms_on_executions_and_three_on_each_function() -> None:
    assert sorted(declare(ARGS)) == [
        "ar-snapshot-check-duration",
        "ar-snapshot-check-errors",
        "ar-snapshot-check-throttles",
        "ar-step-functions-aborts",
        "ar-step-functions-failures",
        "ar-step-functions-throttles",
        "ar-step-functions-timeouts",
        "ar-verify-restore-duration",
        "ar-verify-restore-errors",
        "ar-verify-restore-throttles",
    ]


def test_every_alarm_tells_somebody_says_what_to_do_and_rests_while_nothing_runs() -> None:
    for alarm in declare(ARGS).values():
        assert alarm["alarm_actions"] == ARGS["actions"]
        assert alarm["actions_enabled"]
        assert alarm["missing_data"] == "notBreaching"
        assert alarm["description"].count(".") >= 2


def test_a_function_is_slow_at_a_share_of_its_own_timeout_in_milliseconds() -> None:
    alarms = declare(ARGS)
    assert alarms["ar-snapshot-check-duration"]["threshold"] == 240_000
    assert alarms["ar-verify-restore-duration"]["threshold"] == 720_000
    assert alarms["ar-verify-restore-duration"]["statistic"] == "p99"


def test_the_dashboard_fills_its_grid_without_overlaps_and_shows_every_function() -> None:
    args = {**ARGS, "steps": ["snapshot-check", "verify-restore"], "alarm_arns": ["arn"]}
    widgets = dashboard_body("eu-west-1", args)["widgets"]
    cells = [
        (x, y)
        for widget in widgets
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23
    errors = next(widget for widget in widgets if widget["properties"]["title"] == "Errors of functions")
    assert [metric[3] for metric in errors["properties"]["metrics"]] == ["ar-snapshot-check", "ar-verify-restore"]

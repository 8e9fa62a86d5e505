"""The CloudWatch dashboard of the pipeline, its body compared as JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from aurora_deploy.action import Run, Work
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family
from aurora_deploy.errors import DeployError, is_code

_WIDTH = 24
_HEIGHT = 6
_EXECUTIONS = ("Started", "Succeeded", "Failed", "TimedOut", "Aborted")


def plan(run: Run) -> Iterator[Work]:
    """Declare the dashboard."""
    body = None if run.absent else {"body": dashboard_body(run.aws.region, run.args)}
    yield DashboardFamily(run.aws), {run.args["name"]: body}


def dashboard_body(region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the dashboard: executions and their duration, what the functions do, and every alarm's state."""
    machine = ["StateMachineArn", args["state_machine_arn"]]
    prefix, steps = args["name_prefix"], args["steps"]
    executions = [["AWS/States", f"Executions{what}", *machine] for what in _EXECUTIONS]
    duration = [
        ["AWS/States", "ExecutionTime", *machine, {"stat": stat, "label": label}]
        for stat, label in (("p50", "median"), ("Maximum", "longest"))
    ]
    rows = [
        [_graph(region, "Restores", executions, "Sum"), _graph(region, "Duration of restores (ms)", duration, "p50")],
        [
            _graph(region, title, [["AWS/Lambda", metric, "FunctionName", f"{prefix}-{step}"] for step in steps], stat)
            for title, metric, stat in (
                ("Errors of functions", "Errors", "Sum"),
                ("Throttled calls", "Throttles", "Sum"),
                ("Duration of functions (ms)", "Duration", "p99"),
            )
        ],
        [{"type": "alarm", "properties": {"title": "Alarms", "alarms": args["alarm_arns"]}}],
    ]
    widgets = [
        {"x": index * _WIDTH // len(row), "y": y * _HEIGHT, "width": _WIDTH // len(row), "height": _HEIGHT, **widget}
        for y, row in enumerate(rows)
        for index, widget in enumerate(row)
    ]
    return {"widgets": widgets}


def _graph(region: str, title: str, metrics: list[list[Any]], stat: str) -> dict[str, Any]:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "region": region,
            "view": "timeSeries",
            "stacked": False,
            "stat": stat,
            "period": 300,
            "metrics": metrics,
        },
    }


class DashboardFamily(Family):
    """One item is one dashboard."""

    label = "dashboard"

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        found = {}
        for name in names:
            try:
                answer = self.aws.client("cloudwatch").get_dashboard(DashboardName=name)
            except Exception as error:
                # The API's own code, and the one of its newer protocols.
                if not is_code(error, "ResourceNotFound", "DashboardNotFoundError"):
                    raise
            else:
                found[name] = {"body": json.loads(answer["DashboardBody"])}
        return found

    def create(self, name: str, after: Attributes) -> None:
        answer = self.aws.client("cloudwatch").put_dashboard(
            DashboardName=name, DashboardBody=json.dumps(after["body"])
        )
        # CloudWatch stores a dashboard with warnings and says so here only.
        if messages := answer.get("DashboardValidationMessages"):
            raise DeployError("; ".join(f"{item.get('DataPath', '')} {item['Message']}" for item in messages))

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        self.create(name, after)

    def delete(self, name: str, before: Attributes) -> None:
        self.aws.client("cloudwatch").delete_dashboards(DashboardNames=[name])

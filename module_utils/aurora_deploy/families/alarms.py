"""CloudWatch metric alarms: read in bulk, those of ours that are no longer declared removed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from aurora_deploy.action import Run, Work
from aurora_deploy.clients import Aws, together
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family
from aurora_deploy.families.alarm_plan import declare
from aurora_deploy.tag_index import read_tags
from aurora_deploy.tags import removed, tag_list, tag_map

_PERCENTILE = re.compile(r"p\d")


def plan(run: Run) -> Iterator[Work]:
    """Declare the alarms of the state machine and of every function."""
    prefix = run.args["name_prefix"]
    family = AlarmFamily(run.aws, f"{prefix}-", run.args["tags"])
    declared: dict[str, Attributes | None] = dict(declare(run.args))
    if run.absent:
        declared = dict.fromkeys(declared)
    yield family, declared | dict.fromkeys(family.others(declared, prefix))


class AlarmFamily(Family):
    """One item is one metric alarm. DescribeAlarms gives all but the tags, all of which are declared alike."""

    label = "alarm"
    unordered = ("alarm_actions",)
    # CloudWatch takes three writes of alarms a second ("Amazon CloudWatch endpoints and quotas"): with more at once
    # one of seventy is refused six times in a row, and it takes no less time.
    threads = 3

    def __init__(self, aws: Aws, prefix: str, tags: Mapping[str, str]) -> None:
        super().__init__(aws)
        self.client: Any = aws.client("cloudwatch")
        self._prefix = prefix
        self._tagged = tags
        self._raw: dict[str, dict[str, Any]] | None = None

    def others(self, names: Collection[str], project: str) -> list[str]:
        """Return the alarms that begin with our prefix, carry our Project tag, and are not in `names`."""
        strangers = {name: raw["AlarmArn"] for name, raw in self._all().items() if name not in names}
        tags = together(lambda name: self._tags(strangers[name]), strangers)
        return sorted(name for name in strangers if tags[name].get("Project") == project)

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        found = {name: raw for name, raw in self._all().items() if name in names}
        arns = {name: raw["AlarmArn"] for name, raw in found.items()}
        tags = read_tags(self.aws, "cloudwatch:alarm", self._tagged, arns, self._tags)
        return {name: {**_comparable(raw), "tags": tags[name]} for name, raw in found.items()}

    def create(self, name: str, after: Attributes) -> None:
        self.client.put_metric_alarm(AlarmName=name, Tags=tag_list(after["tags"]), **_parameters(after))

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """PutMetricAlarm replaces the whole alarm but ignores tags on one that exists."""
        if set(changed) - {"tags"}:
            self.client.put_metric_alarm(AlarmName=name, **_parameters(after))
        if "tags" in changed:
            if gone := removed(before["tags"], after["tags"]):
                self.client.untag_resource(ResourceARN=before["_arn"], TagKeys=gone)
            self.client.tag_resource(ResourceARN=before["_arn"], Tags=tag_list(after["tags"]))

    def delete(self, name: str, before: Attributes) -> None:
        self.client.delete_alarms(AlarmNames=[name])

    def _all(self) -> dict[str, dict[str, Any]]:
        if self._raw is None:
            alarms = self.aws.pages(
                "cloudwatch",
                "describe_alarms",
                "MetricAlarms",
                AlarmNamePrefix=self._prefix,
                AlarmTypes=["MetricAlarm"],
                PaginationConfig={"PageSize": 100},  # the most that the API gives; its default is half of it
            )
            self._raw = {alarm["AlarmName"]: alarm for alarm in alarms}
        return self._raw

    def _tags(self, arn: str) -> dict[str, str]:
        return tag_map(self.client.list_tags_for_resource(ResourceARN=arn)["Tags"])


def _comparable(raw: dict[str, Any]) -> Attributes:
    return {
        "_arn": raw["AlarmArn"],
        "description": raw.get("AlarmDescription", ""),
        "namespace": raw.get("Namespace"),
        "metric": raw.get("MetricName"),
        "dimensions": {item["Name"]: item["Value"] for item in raw.get("Dimensions", [])},
        "statistic": raw.get("ExtendedStatistic") or raw.get("Statistic"),
        "threshold": raw.get("Threshold"),
        "comparison": raw.get("ComparisonOperator"),
        "period": raw.get("Period"),
        "evaluation_periods": raw.get("EvaluationPeriods"),
        "datapoints_to_alarm": raw.get("DatapointsToAlarm") or raw.get("EvaluationPeriods"),
        "missing_data": raw.get("TreatMissingData", "missing"),
        "actions_enabled": raw["ActionsEnabled"],
        "alarm_actions": raw.get("AlarmActions", []),
        "ok_actions": raw.get("OKActions", []),
        "insufficient_data_actions": raw.get("InsufficientDataActions", []),
    }


def _parameters(after: Attributes) -> dict[str, Any]:
    statistic = "ExtendedStatistic" if _PERCENTILE.match(after["statistic"]) else "Statistic"
    return {
        "AlarmDescription": after["description"],
        "Namespace": after["namespace"],
        "MetricName": after["metric"],
        "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(after["dimensions"].items())],
        statistic: after["statistic"],
        "Threshold": after["threshold"],
        "ComparisonOperator": after["comparison"],
        "Period": after["period"],
        "EvaluationPeriods": after["evaluation_periods"],
        "DatapointsToAlarm": after["datapoints_to_alarm"],
        "TreatMissingData": after["missing_data"],
        "ActionsEnabled": after["actions_enabled"],
        "AlarmActions": after["alarm_actions"],
        "OKActions": after["ok_actions"],
        "InsufficientDataActions": after["insufficient_data_actions"],
    }

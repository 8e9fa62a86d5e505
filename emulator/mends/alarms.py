"""Alarms look at their own dimensions only, treat missing data as told, and describe what was put.

ministack adds up the points of every dimension, leaves an alarm as it is when no data comes, forgets the ``Metrics``
of an alarm on a metric math expression, and describes half of an alarm in the query protocol. Evaluation follows the
CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

import time
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import cloudwatch

from emulator.settings import Settings

Alarm = dict[str, Any]

_EPOCHS = {"StateUpdatedTimestamp", "AlarmConfigurationUpdatedTimestamp", "StateTransitionedTimestamp"}


def apply(settings: Settings) -> None:
    """Replace the evaluation, the storing and the query-protocol description of alarms."""
    del settings
    put_metric_alarm = cloudwatch._put_metric_alarm
    describe_alarms = cloudwatch._describe_alarms

    def put(params: Any, data: Any, is_cbor: bool, is_json: bool = False) -> Any:
        response = put_metric_alarm(params, data, is_cbor, is_json)
        if response[0] == 200 and (data or {}).get("Metrics"):
            alarm = cloudwatch._alarms[data["AlarmName"]]
            alarm["Metrics"] = data["Metrics"]
            for name in ("MetricName", "Namespace", "Period", "Statistic", "ExtendedStatistic", "Dimensions"):
                alarm.pop(name, None)
        return response

    def describe(params: Any, data: Any, is_cbor: bool, is_json: bool = False) -> Any:
        if is_cbor or is_json:
            return describe_alarms(params, data, is_cbor, is_json)
        status, headers, body = describe_alarms(params, data, is_cbor, is_json)
        text = body.decode() if isinstance(body, bytes) else body
        for alarm in cloudwatch._alarms.values():
            start = f"<member><AlarmName>{alarm['AlarmName']}</AlarmName>"
            before, found, after = text.partition(start)
            if found:
                text = before + _xml("member", alarm) + after.partition("</member>")[2]
        return status, headers, text.encode()

    cloudwatch._put_metric_alarm = put
    cloudwatch._describe_alarms = describe
    cloudwatch._evaluate_alarm = _evaluate


def _evaluate(alarm: Alarm) -> None:
    """Move an alarm on a single metric to the state its data ask for; one on an expression stays as it is."""
    if not alarm.get("MetricName"):
        return
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    points = cloudwatch._metrics.get(key) or []
    state = _state(alarm, [_breaches(alarm, period) for period in _periods(alarm, list(points))])
    old = alarm["StateValue"]
    if state == old:
        return
    statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    reason = f"{state}: {statistic} of {alarm['MetricName']} {alarm['ComparisonOperator']} {alarm['Threshold']}"
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], old, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _periods(alarm: Alarm, points: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The points of each evaluated period, the newest first."""
    length, now = alarm["Period"], time.time()
    ages = [(now - point["Timestamp"], point) for point in points]
    return [
        [point for age, point in ages if index * length <= age < (index + 1) * length]
        for index in range(alarm["EvaluationPeriods"])
    ]


def _breaches(alarm: Alarm, points: list[dict[str, Any]]) -> bool | None:
    """Whether a period breaches the threshold; None when it has no data."""
    if not points:
        return {"breaching": True, "notBreaching": False}.get(alarm["TreatMissingData"])
    statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    value: float | None = cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points)
    if value is None:
        return None
    threshold = float(alarm["Threshold"])
    return {
        "GreaterThanOrEqualToThreshold": value >= threshold,
        "GreaterThanThreshold": value > threshold,
        "LessThanThreshold": value < threshold,
        "LessThanOrEqualToThreshold": value <= threshold,
    }.get(alarm["ComparisonOperator"])


def _state(alarm: Alarm, periods: list[bool | None]) -> str:
    known = [breaches for breaches in periods if breaches is not None]
    if not known:
        return str(alarm["StateValue"]) if alarm["TreatMissingData"] == "ignore" else "INSUFFICIENT_DATA"
    needed = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    return "ALARM" if sum(known) >= needed else "OK"


def _xml(name: str, value: Any) -> str:
    """A value in the awsQuery serialisation."""
    if value is None:
        return ""
    if isinstance(value, dict):
        inner = "".join(_xml(key, item) for key, item in value.items())
    elif isinstance(value, list):
        inner = "".join(_xml("member", item) for item in value)
    elif isinstance(value, bool):
        inner = str(value).lower()
    elif name in _EPOCHS:
        inner = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(value))
    else:
        inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"

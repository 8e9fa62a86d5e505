"""Executions and functions feed alarms, alarms look at their own dimensions, and notifications arrive."""

from __future__ import annotations

import json
from typing import Any

from .conftest import ACCOUNT, REGION, Aws, name, task, wait_for


def alarm_on(aws: Aws, namespace: str, metric: str, dimension: tuple[str, str], **more: Any) -> str:
    """Put an alarm that one data point of 1 sets off; returns its name."""
    alarm = name("alarm")
    settings = {
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "Dimensions": [{"Name": dimension[0], "Value": dimension[1]}],
    }
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(AlarmName=alarm, Namespace=namespace, MetricName=metric, **{**settings, **more})
    return alarm


def state(aws: Aws, alarm: str) -> str:
    """An alarm's state."""
    return str(aws.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["StateValue"])


def test_a_failed_execution_sets_off_its_alarm_and_the_notification_arrives(aws: Aws) -> None:
    sns, sqs = aws.client("sns"), aws.client("sqs")
    topic = sns.create_topic(Name=name("topic"))["TopicArn"]
    queue_name = name("queue")
    queue = sqs.create_queue(QueueName=queue_name)["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue_name}")
    machine = aws.machine({"Stop": {"Type": "Fail", "Error": "Stopped"}})
    alarm = alarm_on(aws, "AWS/States", "ExecutionsFailed", ("StateMachineArn", machine), AlarmActions=[topic])
    aws.run(machine)
    assert wait_for(lambda: state(aws, alarm) == "ALARM")
    (message,) = wait_for(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    assert json.loads(json.loads(message["Body"])["Message"])["AlarmName"] == alarm


def test_timed_out_and_aborted_executions_have_metrics_of_their_own(aws: Aws) -> None:
    states = aws.client("stepfunctions")
    machine = aws.machine({"Long": {"Type": "Wait", "Seconds": 1000, "End": True}}, TimeoutSeconds=1)
    timed_out = alarm_on(aws, "AWS/States", "ExecutionsTimedOut", ("StateMachineArn", machine))
    aborted = alarm_on(aws, "AWS/States", "ExecutionsAborted", ("StateMachineArn", machine))
    states.stop_execution(executionArn=states.start_execution(stateMachineArn=machine)["executionArn"])
    assert state(aws, aborted) == "ALARM"
    aws.run(machine)
    assert wait_for(lambda: state(aws, timed_out) == "ALARM")


def test_an_error_of_a_task_counts_for_its_own_function_only(aws: Aws) -> None:
    failing, other = aws.function(), aws.function()
    its_own = alarm_on(aws, "AWS/Lambda", "Errors", ("FunctionName", failing))
    the_others = alarm_on(aws, "AWS/Lambda", "Errors", ("FunctionName", other))
    aws.run(aws.machine({"Copy": task(failing)}), {"fail": True})
    aws.invoke(other, {})
    assert (state(aws, its_own), state(aws, the_others)) == ("ALARM", "OK")


def test_an_invocation_is_counted_once(aws: Aws) -> None:
    function = aws.function()
    twice = alarm_on(aws, "AWS/Lambda", "Invocations", ("FunctionName", function), Threshold=2)
    aws.invoke(function, {})
    assert state(aws, twice) == "OK"
    aws.invoke(function, {})
    assert state(aws, twice) == "ALARM"


def test_a_throttled_task_is_reported_as_such_and_counted(aws: Aws) -> None:
    function = aws.function()
    throttles = alarm_on(aws, "AWS/Lambda", "Throttles", ("FunctionName", function))
    aws.client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    ended = aws.run(aws.machine({"Work": task(function)}))
    assert (ended["status"], ended["error"]) == ("FAILED", "Lambda.TooManyRequestsException")
    assert state(aws, throttles) == "ALARM"


def test_an_alarm_on_an_expression_is_described_as_put(aws: Aws) -> None:
    metric = {"Namespace": "Shop", "MetricName": "Orders", "Dimensions": [{"Name": "Region", "Value": "eu"}]}
    queries = [
        {"Id": "half", "Expression": "all / 2", "Label": "half", "ReturnData": True},
        {"Id": "all", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
    ]
    cloudwatch = aws.client("cloudwatch")
    alarm = name("alarm")
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Metrics=queries,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    described = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]
    assert described["Metrics"] == queries
    assert "MetricName" not in described
    assert described["StateValue"] == "INSUFFICIENT_DATA"

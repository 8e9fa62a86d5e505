"""Whatever changes behind Ansible's back is found, shown and mended; check mode announces exactly what a run does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aurora_deploy.action import Plan
from aurora_deploy.clients import Aws
from aurora_deploy.families import alarms, dashboard, functions, log_groups, state_machine
from aurora_deploy.families.package import write_zip

from .conftest import ACCOUNT, KEY, TAGS, RunPlan

FUNCTION, MACHINE, GROUP, ALARM = "ar-work", "ar-state-machine", "/aws/lambda/ar-work", "ar-work-duration"
MACHINE_ARN = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:{MACHINE}"
FUNCTION_ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{FUNCTION}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ar"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:ar-notifications"
DEFINITION = {
    "StartAt": "Wait",
    "TimeoutSeconds": "${Timeout}",
    "States": {"Wait": {"Type": "Wait", "Seconds": 1, "Next": "Done"}, "Done": {"Type": "Succeed"}},
}
OTHER = {"StartAt": "Done", "TimeoutSeconds": 1, "States": {"Done": {"Type": "Succeed"}}}

Declared = tuple[Plan, dict[str, Any]]
Meddle = Callable[[Any], Any]


@pytest.fixture
def declared(request: pytest.FixtureRequest, package: Path, place: dict[str, Any], tmp_path: Path) -> Declared:
    """The plan and the arguments of a family by its name."""
    definition = tmp_path / "machine.asl.json"
    definition.write_text(json.dumps(DEFINITION))
    functions_args = {
        "name_prefix": "ar", "account_id": ACCOUNT, "steps": ["work"], "package": str(package), "runtime": "python3.13",
        "architecture": "arm64", "memory": 256, "timeout": 300, "overrides": {}, "environment": {"REGION": "us-east-1"},
        **place, "kms_key": KEY, "dead_letter_target": TOPIC, "log_level": "WARNING",
        "reserved_concurrency": {"work": 2}, "asynchronous": ["work"], "async_retries": 1, "async_max_age": 600,
        "alias": "live", "keep_versions": 3, "tags": TAGS, "state": "present",
    }  # fmt: skip
    machine_args = {
        "name": MACHINE, "account_id": ACCOUNT, "definition": str(definition), "values": {"Timeout": 60},
        "role": ROLE, "log_group": "/aws/vendedlogs/ar", "log_level": "ALL",
        "log_execution_data": False, "tracing": True, "kms_key": KEY, "alias": "live", "keep_versions": 3,
        "tags": TAGS, "state": "present",
    }  # fmt: skip
    groups_args = {
        "names": [GROUP], "remove_others_with_prefix": "/aws/lambda/ar-", "retention_days": 30,
        "delivery_policy": "ar-log-delivery", "account_id": ACCOUNT, "kms_key": KEY, "tags": TAGS, "state": "present",
    }  # fmt: skip
    alarms_args = {
        "name_prefix": "ar", "state_machine_arn": MACHINE_ARN, "functions": [{"step": "work", "timeout": 300}],
        "actions": [TOPIC], "duration_percent": 80, "period": 300, "evaluation_periods": 1, "tags": TAGS,
        "state": "present",
    }  # fmt: skip
    dashboard_args = {
        "name": "ar", "name_prefix": "ar", "state_machine_arn": MACHINE_ARN, "steps": ["work"], "alarm_arns": [],
        "state": "present",
    }  # fmt: skip
    chosen: Declared = {
        "lambda": (functions.plan, functions_args),
        "stepfunctions": (state_machine.plan, machine_args),
        "logs": (log_groups.plan, groups_args),
        "cloudwatch": (alarms.plan, alarms_args),
        "dashboard": (dashboard.plan, dashboard_args),
    }[request.param]
    return chosen


def configure(**settings: Any) -> Meddle:
    return lambda client: client.update_function_configuration(FunctionName=FUNCTION, **settings)


def machine(**settings: Any) -> Meddle:
    return lambda client: client.update_state_machine(stateMachineArn=MACHINE_ARN, **settings)


def alarm(**settings: Any) -> Meddle:
    def put(client: Any) -> None:
        found = client.describe_alarms(AlarmNames=[ALARM])["MetricAlarms"][0]
        keys = (
            "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions",
            "MetricName", "Namespace", "ExtendedStatistic", "Dimensions", "Period", "EvaluationPeriods",
            "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData",
        )  # fmt: skip
        client.put_metric_alarm(**{key: found[key] for key in keys if key in found} | settings)

    return put


def split_the_alias(client: Any) -> None:
    """Publish something else and send it a tenth of the calls."""
    configure(Description="canary")(client)
    version = client.publish_version(FunctionName=FUNCTION)["Version"]
    routing = {"AdditionalVersionWeights": {version: 0.1}}
    client.update_alias(FunctionName=FUNCTION, Name="live", RoutingConfig=routing)


def run_another_version(client: Any) -> None:
    """Publish something, let the alias run it with the note it had, and then what is declared once more."""
    declared = client.get_function_configuration(FunctionName=FUNCTION)["Description"]
    configure(Description="other")(client)
    version = client.publish_version(FunctionName=FUNCTION)["Version"]
    noted = client.get_alias(FunctionName=FUNCTION, Name="live")["Description"]
    client.update_alias(FunctionName=FUNCTION, Name="live", FunctionVersion=version, Description=noted)
    configure(Description=declared)(client)


DRIFT: list[tuple[str, str, Meddle]] = [
    ("lambda", "memory", configure(MemorySize=512)),
    ("lambda", "timeout", configure(Timeout=9)),
    ("lambda", "handler", configure(Handler="other.handler")),
    ("lambda", "description", configure(Description="other")),
    ("lambda", "runtime", configure(Runtime="python3.12")),
    ("lambda", "role", configure(Role=f"arn:aws:iam::{ACCOUNT}:role/other")),
    ("lambda", "environment", configure(Environment={"Variables": {"REGION": "eu-west-1"}})),
    ("lambda", "tracing", configure(TracingConfig={"Mode": "PassThrough"})),
    ("lambda", "subnet_ids", configure(VpcConfig={"SubnetIds": [], "SecurityGroupIds": []})),
    ("lambda", "dead_letter_target", configure(DeadLetterConfig={"TargetArn": TOPIC + "-other"})),
    ("lambda", "log_format", configure(LoggingConfig={"LogFormat": "Text"})),
    ("lambda", "reserved_concurrency", lambda client: client.delete_function_concurrency(FunctionName=FUNCTION)),
    (
        "lambda",
        "async_retries",
        lambda client: client.put_function_event_invoke_config(
            FunctionName=FUNCTION, Qualifier="live", MaximumRetryAttempts=0
        ),
    ),
    ("lambda", "tags", lambda client: client.tag_resource(Resource=FUNCTION_ARN, Tags={"Stray": "x"})),
    ("lambda", "live", lambda client: client.delete_alias(FunctionName=FUNCTION, Name="live")),
    (
        "lambda",
        "live",
        lambda client: client.update_alias(FunctionName=FUNCTION, Name="live", FunctionVersion="$LATEST"),
    ),
    ("lambda", "live", split_the_alias),
    ("lambda", "live", run_another_version),
    ("stepfunctions", "definition", machine(definition=json.dumps(OTHER))),
    ("stepfunctions", "role", machine(roleArn=f"arn:aws:iam::{ACCOUNT}:role/other")),
    ("stepfunctions", "logging", machine(loggingConfiguration={"level": "OFF"})),
    ("stepfunctions", "tracing", machine(tracingConfiguration={"enabled": False})),
    (
        "stepfunctions",
        "kms_key",
        machine(definition=json.dumps(OTHER), encryptionConfiguration={"type": "AWS_OWNED_KEY"}),
    ),
    (
        "stepfunctions",
        "tags",
        lambda client: client.untag_resource(resourceArn=MACHINE_ARN, tagKeys=["Environment"]),
    ),
    (
        "stepfunctions",
        "live",
        lambda client: client.delete_state_machine_alias(stateMachineAliasArn=f"{MACHINE_ARN}:live"),
    ),
    ("logs", "retention_days", lambda client: client.delete_retention_policy(logGroupName=GROUP)),
    ("logs", "kms_key", lambda client: client.disassociate_kms_key(logGroupName=GROUP)),
    (
        "logs",
        "document",
        lambda client: client.put_resource_policy(policyName="ar-log-delivery", policyDocument='{"Statement": []}'),
    ),
    ("cloudwatch", "threshold", alarm(Threshold=1.0)),
    ("cloudwatch", "period", alarm(Period=60)),
    ("cloudwatch", "alarm_actions", alarm(AlarmActions=[])),
    ("cloudwatch", "actions_enabled", alarm(ActionsEnabled=False)),
    ("cloudwatch", "missing_data", alarm(TreatMissingData="breaching")),
    ("cloudwatch", "description", alarm(AlarmDescription="other")),
    ("cloudwatch", "statistic", alarm(ExtendedStatistic="p50")),
    (
        "cloudwatch",
        "tags",
        lambda client: client.untag_resource(
            ResourceARN=f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:{ALARM}", TagKeys=["Environment"]
        ),
    ),
    ("dashboard", "body", lambda client: client.put_dashboard(DashboardName="ar", DashboardBody='{"widgets": []}')),
]


@pytest.mark.parametrize(
    ("declared", "attribute", "meddle"),
    DRIFT,
    indirect=["declared"],
    ids=[f"{service}-{attribute}" for service, attribute, _ in DRIFT],
)
def test_drift_is_announced_mended_and_then_gone(
    aws: Aws, run_plan: RunPlan, request: pytest.FixtureRequest, declared: Declared, attribute: str, meddle: Meddle
) -> None:
    plan, args = declared
    run_plan(plan, args)
    service = request.node.callspec.params["declared"]
    meddle(aws.client("cloudwatch" if service == "dashboard" else service))
    announced = run_plan(plan, args, check=True)
    mended = run_plan(plan, args)
    assert announced.items == mended.items
    assert attribute in {name for item in mended.items for name in item["changes"]}
    assert not run_plan(plan, args).changed


@pytest.mark.parametrize("declared", ["lambda", "stepfunctions", "logs", "cloudwatch", "dashboard"], indirect=True)
def test_what_is_removed_can_be_made_again_as_announced(run_plan: RunPlan, declared: Declared) -> None:
    plan, args = declared
    run_plan(plan, args)
    absent = {**args, "state": "absent"}
    assert run_plan(plan, absent, check=True).items == run_plan(plan, absent).items
    assert not run_plan(plan, absent).changed
    announced, made = run_plan(plan, args, check=True), run_plan(plan, args)
    assert announced.items == made.items
    assert {item["action"] for item in made.items} == {"create"}
    assert not run_plan(plan, args).changed


@pytest.mark.parametrize("declared", ["lambda"], indirect=True)
def test_an_alias_without_a_note_is_judged_by_what_its_version_holds(
    aws: Aws, run_plan: RunPlan, declared: Declared
) -> None:
    plan, args = declared
    run_plan(plan, args)
    aws.client("lambda").update_alias(FunctionName=FUNCTION, Name="live", Description="mine")
    assert not run_plan(plan, args).changed


@pytest.mark.parametrize("declared", ["lambda"], indirect=True)
def test_only_the_code_is_uploaded_when_only_the_code_changed_and_old_versions_go(
    aws: Aws, run_plan: RunPlan, declared: Declared, tmp_path: Path
) -> None:
    plan, args = declared
    run_plan(plan, args)
    for number in range(5):
        write_zip(tmp_path / "app.zip", {"aurora_restore/__init__.py": b"#" * (number + 1)})
        [item] = run_plan(plan, {**args, "package": str(tmp_path / "app.zip")}).items
        assert list(item["changes"]) == ["code_sha256"]
    client = aws.client("lambda")
    versions = [item["Version"] for item in client.list_versions_by_function(FunctionName=FUNCTION)["Versions"]]
    assert len([version for version in versions if version != "$LATEST"]) == args["keep_versions"]
    live = client.get_function_configuration(FunctionName=FUNCTION, Qualifier="live")
    assert live["CodeSha256"] == client.get_function_configuration(FunctionName=FUNCTION)["CodeSha256"]


@pytest.mark.parametrize("declared", ["lambda", "cloudwatch"], indirect=True)
def test_what_belongs_to_a_step_that_is_gone_goes(run_plan: RunPlan, declared: Declared) -> None:
    plan, args = declared
    old = {"step": "old", "timeout": 9}
    more = {"steps": ["work", "old"]} if "steps" in args else {"functions": [*args["functions"], old]}
    run_plan(plan, {**args, **more})
    deleted = {item["name"] for item in run_plan(plan, args).items if item["action"] == "delete"}
    assert deleted
    assert all(name.startswith("ar-old") for name in deleted)
    assert not run_plan(plan, args).changed


@pytest.mark.parametrize("declared", ["stepfunctions"], indirect=True)
def test_a_definition_that_spells_the_same_otherwise_changes_nothing(run_plan: RunPlan, declared: Declared) -> None:
    plan, args = declared
    run_plan(plan, args)
    turned = {key: DEFINITION[key] for key in reversed(DEFINITION)}
    Path(args["definition"]).write_text(json.dumps(turned, indent=8))
    assert not run_plan(plan, {**args, "values": {"Timeout": 60.0}}).changed

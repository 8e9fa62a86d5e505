"""site.yml and destroy.yml on an empty account: what they say, what they make, what they leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.integration.pipeline.conftest import PREFIX, LocalAws, local_aws

FUNCTIONS = len(
    yaml.safe_load((Path(__file__).resolve().parents[3] / "vars/names.yml").read_text(encoding="utf-8"))[
        "pipeline_functions"
    ]
)
TAGS = ["kms", "secrets", "dynamodb", "sns", "vpc", "iam", "lambda", "stepfunctions", "events", "alarms"]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[LocalAws]:
    """An account of its own: these tests depend on each other, in their order."""
    yield from local_aws(tmp_path_factory.mktemp("deployment"), repository)


def inventory(aws: LocalAws) -> dict[str, int]:
    """How many resources of each kind that a deployment makes there are."""
    ec2, logs = aws.client("ec2"), aws.client("logs")
    ours = [{"Name": "tag:Project", "Values": [PREFIX]}]
    keys = aws.client("kms")
    return {
        "keys in use": sum(
            keys.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"
            for key in keys.list_keys()["Keys"]
        ),
        "key aliases": sum(item["AliasName"] == f"alias/{PREFIX}" for item in keys.list_aliases()["Aliases"]),
        "secrets": len(aws.client("secretsmanager").list_secrets()["SecretList"]),
        "tables": len(aws.client("dynamodb").list_tables()["TableNames"]),
        "topics": len(aws.client("sns").list_topics()["Topics"]),
        "networks": len(ec2.describe_vpcs(Filters=ours)["Vpcs"]),
        "subnets": len(ec2.describe_subnets(Filters=ours)["Subnets"]),
        "endpoints": len(
            [
                endpoint
                for endpoint in ec2.describe_vpc_endpoints(Filters=ours)["VpcEndpoints"]
                if endpoint["State"] != "deleted"
            ]
        ),
        "security groups": len(ec2.describe_security_groups(Filters=ours)["SecurityGroups"]),
        "roles": sum(role["RoleName"].startswith(PREFIX) for role in aws.client("iam").list_roles()["Roles"]),
        "functions": len(aws.client("lambda").list_functions(MaxItems=50)["Functions"]),
        "log groups": sum(PREFIX in group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]),
        "state machines": len(aws.client("stepfunctions").list_state_machines()["stateMachines"]),
        "alarms": sum(
            len(page["MetricAlarms"]) for page in aws.client("cloudwatch").get_paginator("describe_alarms").paginate()
        ),
        "event rules": len(aws.client("events").list_rules(NamePrefix=PREFIX)["Rules"]),
        "dashboards": len(aws.client("cloudwatch").list_dashboards(DashboardNamePrefix=PREFIX)["DashboardEntries"]),
    }


EMPTY = dict.fromkeys(
    [
        *("keys in use", "key aliases", "secrets", "tables", "topics", "networks", "subnets", "endpoints"),
        *(
            "security groups",
            "roles",
            "functions",
            "log groups",
            "state machines",
            "alarms",
            "dashboards",
            "event rules",
        ),
    ],
    0,
)


def test_check_mode_on_an_empty_account_announces_everything_and_makes_nothing(aws: LocalAws) -> None:
    played = aws.deploy("--check", "--diff")
    assert played.changed >= len(TAGS)
    assert f"function {PREFIX}-snapshot-check" in played.output
    assert inventory(aws) == EMPTY


def test_a_deployment_makes_every_resource(aws: LocalAws) -> None:
    aws.deploy()
    assert inventory(aws) == {
        "keys in use": 1,
        "key aliases": 1,
        "secrets": 2,
        "tables": 2,
        "topics": 1,
        "networks": 1,
        "subnets": 2,
        "endpoints": 7,
        "security groups": 2,
        "roles": FUNCTIONS + 1,
        "functions": FUNCTIONS,
        "event rules": 2,
        "log groups": FUNCTIONS + 1,
        "state machines": 1,
        "alarms": 4 + 3 * FUNCTIONS,
        "dashboards": 1,
    }


def test_a_second_deployment_changes_nothing(aws: LocalAws) -> None:
    assert aws.deploy("--diff").changed == 0


def test_check_mode_on_a_deployed_account_announces_nothing(aws: LocalAws) -> None:
    assert aws.deploy("--check", "--diff").changed == 0


@pytest.mark.parametrize("tag", TAGS)
def test_each_role_runs_alone_by_its_tag(aws: LocalAws, tag: str) -> None:
    played = aws.deploy("--tags", tag)
    assert played.changed == 0
    assert f"TASK [{tag} : " in played.output
    assert not [other for other in TAGS if other != tag and f"TASK [{other} : Ensure" in played.output]


def test_drift_is_shown_by_check_mode_and_mended_by_the_next_run(aws: LocalAws) -> None:
    functions = aws.client("lambda")
    functions.update_function_configuration(FunctionName=f"{PREFIX}-notify-start", Timeout=17)
    checked = aws.deploy("--check", "--diff", "--tags", "lambda")
    assert checked.changed == 1
    assert "17" in checked.output
    assert aws.deploy("--tags", "lambda").changed == 1
    assert functions.get_function_configuration(FunctionName=f"{PREFIX}-notify-start")["Timeout"] == 300


def test_secrets_are_never_shown_and_never_overwritten(aws: LocalAws) -> None:
    before = aws.secret("app-credentials")
    played = aws.deploy("-vvv", "--diff", "--tags", "secrets")
    assert before.password not in played.output
    assert aws.secret("app-credentials") == before


def test_destroying_needs_the_exact_prefix(aws: LocalAws) -> None:
    played = aws.play("playbooks/destroy.yml", confirm="aurora")
    assert played.code != 0
    assert f"confirm={PREFIX}" in played.output
    assert aws.client("dynamodb").list_tables()["TableNames"]


def test_destroying_removes_everything_and_again_changes_nothing(aws: LocalAws) -> None:
    announced = aws.play("playbooks/destroy.yml", "--check", confirm=PREFIX)
    assert announced.code == 0, announced.output
    assert inventory(aws) != EMPTY
    played = aws.play("playbooks/destroy.yml", confirm=PREFIX)
    assert played.code == 0, played.output
    assert inventory(aws) == EMPTY
    again = aws.play("playbooks/destroy.yml", confirm=PREFIX)
    assert (again.code, again.changed) == (0, 0), again.output

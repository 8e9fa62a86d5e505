"""An account of the local AWS with what the families stand on: key, topic, network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aurora_deploy.action import Plan, Run
from aurora_deploy.clients import Aws
from aurora_deploy.engine import Outcome, converge
from aurora_deploy.families.package import write_zip
from aurora_deploy.lookup import Lookup
from emulator.launcher import Emulator

ACCOUNT = "000000000000"
TAGS = {"Project": "ar", "Environment": "test"}
KEY = "alias/ar"

RunPlan = Callable[..., Outcome]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """A connection to an emulator of this module's own."""
    with Emulator(tmp_path_factory.mktemp("emulator") / "state") as emulator, pytest.MonkeyPatch.context() as patch:
        for name, value in {**emulator.env, "AWS_ENDPOINT_URL": emulator.endpoint_url}.items():
            patch.setenv(name, value)
        connection = Aws("us-east-1")
        key = connection.client("kms").create_key()["KeyMetadata"]["KeyId"]
        connection.client("kms").create_alias(AliasName=KEY, TargetKeyId=key)
        yield connection


@pytest.fixture
def run_plan(aws: Aws) -> RunPlan:
    """`run_plan(plan, args, check=False)` does what the action plugin of that plan does."""

    def run(plan: Plan, args: dict[str, Any], *, check: bool = False) -> Outcome:
        outcome = Outcome()
        lookup = Lookup(aws, lenient=check or args.get("state") == "absent")
        for family, desired in plan(Run(args, aws, lookup, check)):
            outcome.extend(converge(family, desired, check=check))
        assert outcome.errors == []
        return outcome

    return run


@pytest.fixture(scope="module")
def place(aws: Aws) -> dict[str, Any]:
    """An existing network, as the arguments name it."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    subnets = [subnet["SubnetId"] for subnet in made]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    return {"vpc_id": vpc, "subnet_ids": subnets, "security_group_ids": [group]}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment package."""
    path = tmp_path_factory.mktemp("package") / "app.zip"
    write_zip(path, {"aurora_restore/__init__.py": b""})
    return path

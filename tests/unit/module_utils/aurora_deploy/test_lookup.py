from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from aurora_deploy.clients import Aws
from aurora_deploy.diff import UNKNOWN
from aurora_deploy.errors import DeployError
from aurora_deploy.lookup import Lookup

ALIAS = "alias/aurora-restore"


@pytest.fixture
def aws() -> Iterator[Aws]:
    with mock_aws():
        yield Aws("us-east-1")


def make_key(aws: Aws, **arguments: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = aws.client("kms").create_key(**arguments)["KeyMetadata"]
    return metadata


def test_a_key_is_found_by_alias_id_and_arn(aws: Aws) -> None:
    key = make_key(aws)
    aws.client("kms").create_alias(AliasName=ALIAS, TargetKeyId=key["KeyId"])
    lookup = Lookup(aws, lenient=False)
    assert {lookup.key_arn(name) for name in (ALIAS, key["KeyId"], key["Arn"])} == {key["Arn"]}


def test_what_is_missing_is_unknown_in_check_mode_and_otherwise_names_the_tag_to_run(aws: Aws) -> None:
    assert Lookup(aws, lenient=True).key_arn(ALIAS) == UNKNOWN
    assert Lookup(aws, lenient=True).vpc_id("net") == UNKNOWN
    with pytest.raises(DeployError, match="--tags kms"):
        Lookup(aws, lenient=False).key_arn(ALIAS)
    with pytest.raises(DeployError, match=r"there is no VPC net.*--tags vpc"):
        Lookup(aws, lenient=False).vpc_id("net")


def test_check_mode_finds_the_key_without_alias_that_the_next_run_will_name(aws: Aws) -> None:
    make_key(aws)
    tags = [{"TagKey": "Project", "TagValue": "aurora-restore"}, {"TagKey": "Purpose", "TagValue": "customer-key"}]
    key = make_key(aws, Tags=tags)
    assert Lookup(aws, lenient=True).key_arn(ALIAS) == key["Arn"]


def test_network_ids_are_found_by_their_name_tags(aws: Aws) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    for resource, name in ((vpc, "net"), (group, "functions")):
        ec2.create_tags(Resources=[resource], Tags=[{"Key": "Name", "Value": name}])
    lookup = Lookup(aws, lenient=False)
    assert lookup.vpc_id("net") == vpc
    assert lookup.security_group_id("functions") == group


def test_the_private_subnets_are_found_by_their_name_tags(aws: Aws) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = {}
    for number, name in enumerate(("ar-private-1", "ar-private-2", "ar-public-1", "other-private-1")):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"]
        tags = [{"Key": "Name", "Value": name}, {"Key": "Project", "Value": name.partition("-")[0]}]
        ec2.create_tags(Resources=[subnet], Tags=tags)
        made[name] = subnet
    found = Lookup(aws, lenient=False).private_subnet_ids("ar")
    assert sorted(found) == sorted([made["ar-private-1"], made["ar-private-2"]])
    assert Lookup(aws, lenient=True).private_subnet_ids("new") == [UNKNOWN]
    with pytest.raises(DeployError, match=r"there is no private subnet of new\..*--tags vpc"):
        Lookup(aws, lenient=False).private_subnet_ids("new")


def test_two_resources_of_one_name_are_refused(aws: Aws) -> None:
    for _ in range(2):
        vpc = aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        aws.client("ec2").create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "net"}])
    with pytest.raises(DeployError, match="2 resources carry the Name tag of VPC net"):
        Lookup(aws, lenient=False).vpc_id("net")


def test_a_refused_look_names_what_was_looked_for(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeKey")

    monkeypatch.setattr(aws.client("kms"), "describe_key", refuse)
    with pytest.raises(DeployError, match=r"KMS key alias/aurora-restore: DescribeKey failed .* Fix: allow"):
        Lookup(aws, lenient=True).key_arn(ALIAS)


def test_what_an_earlier_task_knew_is_not_asked_for_again() -> None:
    known = {"KMS key alias/a": "arn", "VPC net": UNKNOWN, "private subnet of ar": ["subnet-1", UNKNOWN]}
    lookup = Lookup(None, known, lenient=True)  # type: ignore[arg-type]
    answers = (lookup.key_arn("alias/a"), lookup.vpc_id("net"), lookup.private_subnet_ids("ar"))
    assert answers == tuple(known.values())


def test_an_answer_is_fetched_once(aws: Aws) -> None:
    key = make_key(aws)
    lookup = Lookup(aws, lenient=False)
    first = lookup.key_arn(key["KeyId"])
    aws.client("kms").describe_key = None
    assert lookup.key_arn(key["KeyId"]) == first

"""What a deployment puts is what it gets back, so that a comparison shows no false drift."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ACCOUNT, REGION, ROLE, Aws, name

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def network(aws: Aws) -> dict[str, str]:
    """A VPC with a subnet and two security groups."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    groups = {
        group: ec2.create_security_group(GroupName=group, Description=group, VpcId=vpc)["GroupId"]
        for group in ("functions", "endpoints")
    }
    return {"vpc": vpc, "subnet": subnet, **groups}


def test_a_nat_gateway_shows_and_holds_its_address_until_it_is_deleted(aws: Aws, network: dict[str, str]) -> None:
    ec2 = aws.client("ec2")
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    created = ec2.create_nat_gateway(SubnetId=network["subnet"], AllocationId=allocation)["NatGateway"]
    gateway = created["NatGatewayId"]
    (described,) = ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
    for shown in (created, described):
        assert [address["AllocationId"] for address in shown["NatGatewayAddresses"]] == [allocation]
    with pytest.raises(ClientError, match="in use"):
        ec2.release_address(AllocationId=allocation)
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    ec2.release_address(AllocationId=allocation)


@pytest.fixture
def endpoint(aws: Aws, network: dict[str, str]) -> Iterator[str]:
    """An interface endpoint for RDS in `network`."""
    ec2 = aws.client("ec2")
    made = ec2.create_vpc_endpoint(
        VpcId=network["vpc"],
        VpcEndpointType="Interface",
        ServiceName=f"com.amazonaws.{REGION}.rds",
        SubnetIds=[network["subnet"]],
        SecurityGroupIds=[network["endpoints"]],
        PrivateDnsEnabled=True,
        PolicyDocument=json.dumps(POLICY),
        TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "Project", "Value": "conformance"}]}],
    )["VpcEndpoint"]["VpcEndpointId"]
    yield made
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made])


def describe(aws: Aws, *filters: tuple[str, str]) -> list[dict[str, Any]]:
    """The VPC endpoints that pass filters."""
    asked = [{"Name": key, "Values": [value]} for key, value in filters]
    return list(aws.client("ec2").describe_vpc_endpoints(Filters=asked)["VpcEndpoints"])


def test_an_interface_endpoint_keeps_groups_policy_and_private_dns(
    aws: Aws, network: dict[str, str], endpoint: str
) -> None:
    (found,) = describe(aws, ("vpc-id", network["vpc"]), ("tag:Project", "conformance"))
    assert (found["VpcEndpointId"], found["PrivateDnsEnabled"]) == (endpoint, True)
    assert found["Groups"] == [{"GroupId": network["endpoints"], "GroupName": "endpoints"}]
    assert json.loads(found["PolicyDocument"]) == POLICY
    assert describe(aws, ("service-name", "com.amazonaws.us-east-1.sns")) == []


def test_the_groups_of_an_endpoint_can_be_exchanged(aws: Aws, network: dict[str, str], endpoint: str) -> None:
    aws.client("ec2").modify_vpc_endpoint(
        VpcEndpointId=endpoint,
        AddSecurityGroupIds=[network["functions"]],
        RemoveSecurityGroupIds=[network["endpoints"]],
    )
    (found,) = describe(aws, ("vpc-id", network["vpc"]))
    assert [group["GroupId"] for group in found["Groups"]] == [network["functions"]]


def test_every_service_that_the_functions_call_has_an_endpoint(aws: Aws) -> None:
    wanted = {f"com.amazonaws.us-east-1.{name}" for name in ("rds", "secretsmanager", "kms", "sns", "states", "sts")}
    filters = [{"Name": "service-name", "Values": sorted(wanted)}]
    offered = aws.client("ec2").describe_vpc_endpoint_services(Filters=filters)["ServiceDetails"]
    assert {item["ServiceName"] for item in offered if "us-east-1a" in item["AvailabilityZones"]} == wanted


def test_a_security_group_keeps_its_prefix_lists_and_stays_while_it_is_in_use(
    aws: Aws, network: dict[str, str]
) -> None:
    ec2 = aws.client("ec2")
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    lists = [{"PrefixListId": "pl-02cd2c6b", "Description": "DynamoDB"}]
    to_endpoints = [{"GroupId": network["endpoints"]}]
    ec2.authorize_security_group_egress(
        GroupId=network["functions"],
        IpPermissions=[{**https, "PrefixListIds": lists}, {**https, "UserIdGroupPairs": to_endpoints}],
    )
    (group,) = ec2.describe_security_groups(GroupIds=[network["functions"]])["SecurityGroups"]
    assert [rule["PrefixListIds"] for rule in group["IpPermissionsEgress"] if rule["PrefixListIds"]] == [lists]
    with pytest.raises(ClientError) as refused:
        ec2.delete_security_group(GroupId=network["endpoints"])
    assert refused.value.response["Error"]["Code"] == "DependencyViolation"


def test_the_key_of_a_log_group_can_be_taken_away_and_given_back(aws: Aws) -> None:
    logs, group = aws.client("logs"), name("/conformance/group")
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    logs.create_log_group(logGroupName=group, kmsKeyId=key)

    def keys() -> list[str | None]:
        return [found.get("kmsKeyId") for found in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]]

    logs.disassociate_kms_key(logGroupName=group)
    assert keys() == [None]
    logs.associate_kms_key(logGroupName=group, kmsKeyId=key)
    assert keys() == [key]


def test_a_mail_subscription_waits_for_its_confirmation(aws: Aws) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name=name("topic"))["TopicArn"]
    asked = {"TopicArn": topic, "Protocol": "email", "Endpoint": "sre@example.com"}
    assert [sns.subscribe(**asked)["SubscriptionArn"] for _ in range(2)] == ["pending confirmation"] * 2
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"


def test_the_details_of_a_role_name_its_boundary(aws: Aws) -> None:
    iam, role = aws.client("iam"), name("role")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
    iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess")
    pages = iam.get_paginator("get_account_authorization_details").paginate(Filter=["Role"])
    (found,) = (item for page in pages for item in page["RoleDetailList"] if item["RoleName"] == role)
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == "arn:aws:iam::aws:policy/ReadOnlyAccess"


def test_the_listing_of_secrets_names_their_keys(aws: Aws) -> None:
    secrets, secret = aws.client("secretsmanager"), name("secret")
    secrets.create_secret(Name=secret, KmsKeyId="alias/conformance", SecretString="{}")
    (listed,) = secrets.list_secrets(Filters=[{"Key": "name", "Values": [secret]}])["SecretList"]
    assert listed["KmsKeyId"] == "alias/conformance"


def test_a_state_machine_keeps_tracing_and_gets_the_defaults_of_logging(aws: Aws) -> None:
    states = aws.client("stepfunctions")
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    machine = states.create_state_machine(
        name=name("machine"), definition=definition, roleArn=ROLE, tracingConfiguration={"enabled": True}
    )["stateMachineArn"]
    states.update_state_machine(stateMachineArn=machine, loggingConfiguration={"level": "OFF"})
    described = states.describe_state_machine(stateMachineArn=machine)
    assert described["tracingConfiguration"] == {"enabled": True}
    assert described["loggingConfiguration"] == {"level": "OFF", "includeExecutionData": False}


def test_publishing_a_revision_twice_makes_one_version(aws: Aws) -> None:
    states, machine = aws.client("stepfunctions"), aws.machine({"Done": {"Type": "Succeed"}})
    versions = [states.publish_state_machine_version(stateMachineArn=machine) for _ in range(2)]
    assert versions[0]["stateMachineVersionArn"] == versions[1]["stateMachineVersionArn"]
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
    states.update_state_machine(stateMachineArn=machine, definition=definition)
    newer = states.publish_state_machine_version(stateMachineArn=machine)
    assert newer["stateMachineVersionArn"] != versions[0]["stateMachineVersionArn"]


def test_the_index_of_tags_lists_alarms_and_log_groups_by_project(aws: Aws) -> None:
    alarm, group, project = name("alarm"), f"/shop/{name('group')}", name("project")
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        Namespace="Shop",
        MetricName="Orders",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Tags=[{"Key": "Project", "Value": project}],
    )
    aws.client("logs").create_log_group(logGroupName=group, tags={"Project": project, "Stray": "x"})
    arns = {
        "cloudwatch:alarm": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm}",
        "logs:log-group": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}",
    }
    for kind, arn in arns.items():
        filters = {"ResourceTypeFilters": [kind], "TagFilters": [{"Key": "Project", "Values": [project]}]}
        [found] = aws.client("resourcegroupstaggingapi").get_resources(**filters)["ResourceTagMappingList"]
        assert found["ResourceARN"] == arn
    assert {"Key": "Stray", "Value": "x"} in found["Tags"]

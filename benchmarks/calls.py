"""The stack as API calls: what the CLI script and the boto3 floor are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.stack import GROUPS, SUBNETS, VPC, Stack

PACKAGE = "@package@"
"""Stands for the zip in CreateFunction."""


@dataclass(frozen=True)
class Call:
    """One API action with its parameters. `learn` names references and where the answer holds their values."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    learn: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """One resource: the read that succeeds, or finds something under `found`, where it exists; the calls that make it.

    Resources of one `stage` need nothing of each other.
    """

    stage: int
    name: str
    read: Call
    make: tuple[Call, ...]
    found: str = ""


def tag_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Return tags as the lists that most services take."""
    return [{key: name, value: text} for name, text in tags.items()]


def reference(kind: str, name: str) -> str:
    """Return the reference to a network resource that another one needs by id."""
    return f"@{kind}:{name}@"


def resources(stack: Stack) -> list[Resource]:
    """Return every resource of the stack, but no rules of security groups: both forms leave them out."""
    return [*_base(stack), *_network(stack), *_compute(stack), *_watching(stack)]


def _base(stack: Stack) -> Iterator[Resource]:
    parameters: dict[str, Any]
    for name, key in stack.keys.items():
        tags = tag_list(key["tags"], "TagKey", "TagValue")
        parameters = {"Description": key["description"], "Policy": json.dumps(key["policy"]), "Tags": tags}
        arn = {"@key@": "KeyMetadata.Arn"}
        yield Resource(
            0,
            name,
            Call("kms", "describe_key", {"KeyId": name}, arn),
            (
                Call("kms", "create_key", parameters, arn),
                Call("kms", "create_alias", {"AliasName": name, "TargetKeyId": "@key@"}),
                Call("kms", "enable_key_rotation", {"KeyId": "@key@"}),
            ),
        )
    for name, secret in stack.secrets.items():
        text = json.dumps({"username": "benchmark", "password": "not-a-secret"})
        parameters = {"Name": name, "Description": secret["description"], "KmsKeyId": "@key@", "SecretString": text}
        make = Call("secretsmanager", "create_secret", {**parameters, "Tags": tag_list(secret["tags"])})
        yield Resource(1, name, Call("secretsmanager", "describe_secret", {"SecretId": name}), (make,))
    for name, table in stack.tables.items():
        keys = [(table["partition_key"], "HASH"), *([(table["sort_key"], "RANGE")] if table["sort_key"] else [])]
        parameters = {
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            "BillingMode": table["billing_mode"],
            "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "@key@"},
            "Tags": tag_list(table["tags"]),
        }
        make = Call("dynamodb", "create_table", parameters)
        yield Resource(1, name, Call("dynamodb", "describe_table", {"TableName": name}), (make,))
    for topic_arn, topic in stack.topics.items():
        attributes = {"KmsMasterKeyId": "@key@", "Policy": json.dumps(topic["policy"])}
        parameters = {"Name": topic_arn.split(":")[-1], "Attributes": attributes, "Tags": tag_list(topic["tags"])}
        make = Call("sns", "create_topic", parameters)
        yield Resource(1, topic_arn, Call("sns", "get_topic_attributes", {"TopicArn": topic_arn}), (make,))


def _network(stack: Stack) -> Iterator[Resource]:
    for name, vpc in stack.vpcs.items():
        make = Call("ec2", "create_vpc", {"CidrBlock": vpc["cidr"], **_tagged("vpc", vpc)}, {VPC: "Vpc.VpcId"})
        attribute = {"VpcId": VPC, "EnableDnsHostnames": {"Value": vpc["dns_hostnames"]}}
        read = Call("ec2", "describe_vpcs", _by_name(name), {VPC: "Vpcs[0].VpcId"})
        yield Resource(0, name, read, (make, Call("ec2", "modify_vpc_attribute", attribute)), "Vpcs")
    for name, subnet in stack.subnets.items():
        parameters = {"VpcId": VPC, "CidrBlock": subnet["cidr"], "AvailabilityZone": subnet["zone"]}
        yield _ec2(1, "subnet", name, {**parameters, **_tagged("subnet", subnet)}, "Subnet", "SubnetId")
    for name, table in stack.route_tables.items():
        parameters = {"VpcId": VPC, **_tagged("route-table", table)}
        yield _ec2(1, "route_table", name, parameters, "RouteTable", "RouteTableId")
    for name, group in stack.groups.items():
        parameters = {"GroupName": name, "Description": group["description"], "VpcId": VPC}
        yield _ec2(1, "security_group", name, {**parameters, **_tagged("security-group", group)}, "", "GroupId")
    for name, endpoint in stack.endpoints.items():
        parameters = {
            "VpcId": VPC,
            "ServiceName": endpoint["service"],
            "VpcEndpointType": endpoint["type"],
            "SubnetIds": [reference("subnet", item) for item in endpoint.get("subnets", [])],
            "SecurityGroupIds": [reference("security_group", item) for item in endpoint.get("security_groups", [])],
            "RouteTableIds": [reference("route_table", item) for item in endpoint.get("route_tables", [])],
        }
        parameters = {key: value for key, value in parameters.items() if value}
        yield _ec2(
            2, "vpc_endpoint", name, {**parameters, **_tagged("vpc-endpoint", endpoint)}, "VpcEndpoint", "VpcEndpointId"
        )


def _ec2(stage: int, kind: str, name: str, parameters: dict[str, Any], answer: str, id_key: str) -> Resource:
    plural = {"subnet": "Subnets", "route_table": "RouteTables", "security_group": "SecurityGroups"}.get(
        kind, "VpcEndpoints"
    )
    here = reference(kind, name)
    learnt = f"{answer}.{id_key}" if answer else id_key
    read = Call("ec2", f"describe_{kind}s", _by_name(name), {here: f"{plural}[0].{id_key}"})
    return Resource(stage, name, read, (Call("ec2", f"create_{kind}", parameters, {here: learnt}),), plural)


def _compute(stack: Stack) -> Iterator[Resource]:
    for name, role in stack.roles.items():
        create: dict[str, Any] = {"RoleName": name, "AssumeRolePolicyDocument": json.dumps(role["trust_policy"])}
        policies = [
            Call(
                "iam",
                "put_role_policy",
                {"RoleName": name, "PolicyName": policy, "PolicyDocument": json.dumps(document)},
            )
            for policy, document in role["policies"].items()
        ]
        make = (Call("iam", "create_role", {**create, "Tags": tag_list(role["tags"])}), *policies)
        yield Resource(1, name, Call("iam", "get_role", {"RoleName": name}), make)
    for name, group in stack.log_groups.items():
        create = {"logGroupName": name, "kmsKeyId": "@key@", "tags": group["tags"]}
        retention = {"logGroupName": name, "retentionInDays": group["retention_days"]}
        make = (Call("logs", "create_log_group", create), Call("logs", "put_retention_policy", retention))
        found = f"logGroups[?logGroupName=='{name}']"
        yield Resource(1, name, Call("logs", "describe_log_groups", {"logGroupNamePrefix": name}), make, found)
    subnets = [reference("subnet", name) for name in stack.subnets]
    groups = [reference("security_group", name) for name in stack.groups if name.endswith("-functions")]
    places = {SUBNETS: ",".join(subnets), GROUPS: ",".join(groups)}
    for name, function in stack.functions.items():
        environment = {key: places.get(value, value) for key, value in function["environment"].items()}
        create = {
            "FunctionName": name,
            "Runtime": function["runtime"],
            "Handler": function["handler"],
            "Role": function["role"],
            "Code": {"ZipFile": PACKAGE},
            "Description": function["description"],
            "MemorySize": function["memory"],
            "Timeout": function["timeout"],
            "Architectures": [function["architecture"]],
            "Environment": {"Variables": environment},
            "KMSKeyArn": "@key@",
            "VpcConfig": {"SubnetIds": subnets, "SecurityGroupIds": groups},
            "TracingConfig": {"Mode": function["tracing"]},
            "DeadLetterConfig": {"TargetArn": function["dead_letter_target"]},
            "Tags": function["tags"],
        }
        alias = {"FunctionName": name, "Name": "live", "FunctionVersion": "$LATEST"}
        make = (Call("lambda", "create_function", create), Call("lambda", "create_alias", alias))
        yield Resource(3, name, Call("lambda", "get_function", {"FunctionName": name}), make)


def _watching(stack: Stack) -> Iterator[Resource]:
    for name, machine in stack.machines.items():
        tags = tag_list(machine["tags"], "key", "value")
        create = {
            "name": name,
            "definition": json.dumps(machine["definition"]),
            "roleArn": machine["role"],
            "tags": tags,
        }
        arn = f"arn:aws:states:{stack.region}:{stack.account}:stateMachine:{name}"
        read = Call("stepfunctions", "describe_state_machine", {"stateMachineArn": arn})
        yield Resource(4, name, read, (Call("stepfunctions", "create_state_machine", create),))
    for name, alarm in stack.alarms.items():
        statistic = "ExtendedStatistic" if alarm["statistic"].startswith("p") else "Statistic"
        put = {
            "AlarmName": name,
            "AlarmDescription": alarm["description"],
            "Namespace": alarm["namespace"],
            "MetricName": alarm["metric"],
            "Dimensions": tag_list(alarm["dimensions"], "Name", "Value"),
            statistic: alarm["statistic"],
            "Threshold": alarm["threshold"],
            "ComparisonOperator": alarm["comparison"],
            "Period": alarm["period"],
            "EvaluationPeriods": alarm["evaluation_periods"],
            "TreatMissingData": alarm["missing_data"],
            "AlarmActions": alarm["alarm_actions"],
            "Tags": tag_list(alarm["tags"]),
        }
        read = Call("cloudwatch", "describe_alarms", {"AlarmNames": [name]})
        yield Resource(4, name, read, (Call("cloudwatch", "put_metric_alarm", put),), "MetricAlarms")
    for name, dashboard in stack.dashboards.items():
        put = {"DashboardName": name, "DashboardBody": json.dumps(dashboard["body"])}
        read = Call("cloudwatch", "get_dashboard", {"DashboardName": name})
        yield Resource(4, name, read, (Call("cloudwatch", "put_dashboard", put),))


def _by_name(name: str) -> dict[str, Any]:
    return {"Filters": [{"Name": "tag:Name", "Values": [name]}]}


def _tagged(resource_type: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"TagSpecifications": [{"ResourceType": resource_type, "Tags": tag_list(attributes["tags"])}]}

"""How each attribute that site.yml sets can be changed behind Ansible's back.

A change is listed with the attributes that must show it. Nothing here knows the families: only AWS's own calls.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.integration.site.conftest import REGION, Site

STEP, OTHER_STEP, SWEEP = "snapshot-check", "swap-clusters", "sweep"  # EventBridge calls the last
QUEUE = "arn:aws:sqs:us-east-1:000000000000:told"
STRAY = {"Key": "Stray", "Value": "x"}
OPEN_POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
)
_DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
_ROLE_POLICY = {**_DENY, "Statement": [{**_DENY["Statement"][0], "Principal": {"Service": "ec2.amazonaws.com"}}]}  # type: ignore[index]


@dataclass(frozen=True)
class Drift:
    """One change: the item that it happens to, the attributes that differ then, and the call that makes it."""

    kind: str
    name: str
    """Name of the item; `{}` stands for the prefix, `{account}` for the account."""
    attributes: tuple[str, ...]
    service: str
    change: Callable[[Site, Any, str], Any]
    """Called with the site, the service's client, and the item's name."""


def ec2_id(site: Site, resource_type: str, name: str) -> str:
    """The id of a resource by its Name tag."""
    filters = [{"Name": "resource-type", "Values": [resource_type]}, {"Name": "tag:Name", "Values": [name]}]
    tags = site.client("ec2").get_paginator("describe_tags").paginate(Filters=filters)
    [found] = {
        str(tag["ResourceId"])
        for page in tags
        for tag in page["Tags"]
        if (tag["Key"], tag["Value"], tag["ResourceType"]) == ("Name", name, resource_type)  # the emulator ignores some
    }
    return found


def _ec2_tag(resource_type: str) -> Callable[[Site, Any, str], Any]:
    def tag(site: Site, ec2: Any, name: str) -> None:
        ec2.create_tags(Resources=[ec2_id(site, resource_type, name)], Tags=[STRAY])

    return tag


def _key(site: Site, kms: Any) -> str:
    """The id of the deployment's key, which has lost its alias perhaps."""
    keys = [key["KeyId"] for key in kms.list_keys()["Keys"]]
    [ours] = [
        key
        for key in keys
        if {"TagKey": "Project", "TagValue": site.prefix} in kms.list_resource_tags(KeyId=key)["Tags"]
    ]
    return str(ours)


def _meddle_with_key(site: Site, kms: Any, alias: str) -> None:
    key = _key(site, kms)
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({**policy, "Id": "other"}))
    kms.update_key_description(KeyId=key, Description="other")
    kms.disable_key_rotation(KeyId=key)
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "Stray", "TagValue": "x"}])
    kms.delete_alias(AliasName=alias)
    kms.disable_key(KeyId=key)


def _empty_secret(site: Site, secrets: Any, name: str) -> None:
    """Replace a secret by one without a value."""
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    secrets.create_secret(Name=name, Description="other", Tags=[STRAY])


def _meddle_with_table(site: Site, tables: Any, name: str) -> None:
    arn = tables.describe_table(TableName=name)["Table"]["TableArn"]
    tables.update_table(
        TableName=name,
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    tables.update_table(TableName=name, SSESpecification={"Enabled": False})
    tables.update_table(TableName=name, DeletionProtectionEnabled=True)
    tables.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    tables.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"}
    )
    tables.tag_resource(ResourceArn=arn, Tags=[STRAY])


def _meddle_with_topic(site: Site, sns: Any, arn: str) -> None:
    for name, value in (("DisplayName", "other"), ("KmsMasterKeyId", "alias/aws/sns"), ("Policy", OPEN_POLICY)):
        sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=QUEUE + "-other")
    sns.tag_resource(ResourceArn=arn, Tags=[STRAY])


def _meddle_with_vpc(site: Site, ec2: Any, name: str) -> None:
    vpc = ec2_id(site, "vpc", name)
    for attribute in ("EnableDnsHostnames", "EnableDnsSupport"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": False}})
    ec2.create_tags(Resources=[vpc], Tags=[STRAY])


def _meddle_with_subnet(site: Site, ec2: Any, name: str) -> None:
    subnet = ec2_id(site, "subnet", name)
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    ec2.create_tags(Resources=[subnet], Tags=[STRAY])


def _meddle_with_routes(site: Site, ec2: Any, name: str) -> None:
    table = ec2_id(site, "route-table", name)
    [found] = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    association = next(item for item in found["Associations"] if item.get("SubnetId"))
    ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="198.51.100.0/24", GatewayId=gateway)
    ec2.create_tags(Resources=[table], Tags=[STRAY])


def _meddle_with_rules(site: Site, ec2: Any, name: str) -> None:
    group = ec2_id(site, "security-group", name)
    [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=found["IpPermissionsEgress"][:1])
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh])


def _meddle_with_interface(site: Site, ec2: Any, name: str) -> None:
    endpoint = ec2_id(site, "vpc-endpoint", name)
    ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint,
        PrivateDnsEnabled=False,
        RemoveSubnetIds=[ec2_id(site, "subnet", f"{site.prefix}-private-2")],
        AddSecurityGroupIds=[ec2_id(site, "security-group", f"{site.prefix}-functions")],
    )
    ec2.create_tags(Resources=[endpoint], Tags=[STRAY])


def _remove_route_table(site: Site, ec2: Any, name: str) -> None:
    table = ec2_id(site, "route-table", f"{site.prefix}-private")
    ec2.modify_vpc_endpoint(VpcEndpointId=ec2_id(site, "vpc-endpoint", name), RemoveRouteTableIds=[table])


def _detach_gateway(site: Site, ec2: Any, name: str) -> None:
    gateway = ec2_id(site, "internet-gateway", name)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=ec2_id(site, "vpc", f"{site.prefix}-vpc"))
    ec2.create_tags(Resources=[gateway], Tags=[STRAY])


def _meddle_with_role(site: Site, iam: Any, name: str) -> None:
    managed = iam.create_policy(PolicyName="bound", PolicyDocument=json.dumps(_DENY))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=managed)
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=managed)
    iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=json.dumps(_DENY))
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(_ROLE_POLICY))
    iam.tag_role(RoleName=name, Tags=[STRAY])


def _meddle_with_group(site: Site, logs: Any, name: str) -> None:
    logs.put_retention_policy(logGroupName=name, retentionInDays=3653)
    logs.disassociate_kms_key(logGroupName=name)
    arn = f"arn:aws:logs:{REGION}:{site.account}:log-group:{name}"
    logs.tag_resource(resourceArn=arn, tags={"Stray": "x"})


def _configure_function(site: Site, client: Any, name: str) -> None:
    client.update_function_configuration(
        FunctionName=name,
        DeadLetterConfig={"TargetArn": f"arn:aws:sns:{REGION}:{site.account}:other"},
        Description="other",
        Environment={"Variables": {"REGION": "elsewhere"}},
        Handler="other.handler",
        KMSKeyArn=f"arn:aws:kms:{REGION}:{site.account}:key/00000000-0000-0000-0000-000000000000",
        LoggingConfig={"LogFormat": "Text", "LogGroup": "/aws/lambda/other"},
        MemorySize=512,
        Role=f"arn:aws:iam::{site.account}:role/other",
        Runtime="python3.12",
        Timeout=9,
        TracingConfig={"Mode": "PassThrough"},
        VpcConfig={"SubnetIds": [], "SecurityGroupIds": []},
    )
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=7)
    arn = client.get_function_configuration(FunctionName=name)["FunctionArn"]
    client.tag_resource(Resource=arn, Tags={"Stray": "x"})


def _replace_code(site: Site, client: Any, name: str) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("other.py", "")
    client.update_function_code(FunctionName=name, ZipFile=content.getvalue(), Architectures=["x86_64"])
    client.delete_alias(FunctionName=name, Name="live")


def _meddle_with_machine(site: Site, states: Any, name: str) -> None:
    arn = f"arn:aws:states:{REGION}:{site.account}:stateMachine:{name}"
    states.delete_state_machine_alias(stateMachineAliasArn=f"{arn}:live")
    states.update_state_machine(
        stateMachineArn=arn,
        definition=json.dumps({"StartAt": "A", "TimeoutSeconds": 1, "States": {"A": {"Type": "Succeed"}}}),
        roleArn=f"arn:aws:iam::{site.account}:role/other",
        loggingConfiguration={"level": "OFF"},
        tracingConfiguration={"enabled": False},
        encryptionConfiguration={"type": "AWS_OWNED_KEY"},
    )
    states.untag_resource(resourceArn=arn, tagKeys=["Environment"])


def _meddle_with_alarm(site: Site, cloudwatch: Any, name: str) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        AlarmDescription="other",
        Namespace="Other",
        MetricName="Other",
        Dimensions=[{"Name": "Other", "Value": "x"}],
        Statistic="Maximum",
        Threshold=7.5,
        ComparisonOperator="LessThanThreshold",
        Period=60,
        EvaluationPeriods=3,
        DatapointsToAlarm=2,
        TreatMissingData="breaching",
        ActionsEnabled=False,
        AlarmActions=[],
        OKActions=[QUEUE],
        InsufficientDataActions=[QUEUE],
    )
    arn = f"arn:aws:cloudwatch:{REGION}:{site.account}:alarm:{name}"
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[STRAY])


def _meddle_with_rule(site: Site, events: Any, name: str) -> None:
    events.put_rule(Name=name, Description="other", ScheduleExpression="rate(7 days)", State="DISABLED")
    events.put_targets(Rule=name, Targets=[{"Id": "more", "Arn": QUEUE}])
    events.tag_resource(ResourceARN=events.describe_rule(Name=name)["Arn"], Tags=[STRAY])
    function = f"{site.prefix}-{SWEEP}"
    site.client("lambda").remove_permission(FunctionName=function, Qualifier="live", StatementId=name)


def _change_pattern(site: Site, events: Any, name: str) -> None:
    events.put_rule(Name=name, EventPattern='{"source": ["other"]}')


TABLE = (
    Drift(
        "EventBridge rule", "{}-sweep", ("description", "enabled", "permission", "schedule", "tags", "target"),
        "events", _meddle_with_rule,
    ),
    Drift("EventBridge rule", "{}-execution-ended", ("pattern",), "events", _change_pattern),
    Drift(
        "KMS key", "alias/{}", ("alias", "description", "policy", "rotation", "state", "tags"), "kms", _meddle_with_key
    ),
    Drift(
        "secret", "{}/app-credentials", ("credentials", "description", "kms_key", "tags"), "secretsmanager",
        _empty_secret,
    ),
    Drift(
        "secret", "{}/master-credentials", ("scheduled_for_deletion",), "secretsmanager",
        lambda site, secrets, name: secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7),
    ),
    Drift(
        "DynamoDB table", "{}-audit",
        ("billing_mode", "deletion_protection", "kms_key", "point_in_time_recovery", "tags", "ttl_attribute"),
        "dynamodb", _meddle_with_table,
    ),
    Drift(
        "SNS topic", "arn:aws:sns:us-east-1:{account}:{}-notifications",
        ("display_name", "kms_key", "policy", "subscriptions", "tags"), "sns", _meddle_with_topic,
    ),
    Drift("VPC", "{}-vpc", ("dns_hostnames", "dns_support", "tags"), "ec2", _meddle_with_vpc),
    Drift("subnet", "{}-private-1", ("public_addresses", "tags"), "ec2", _meddle_with_subnet),
    Drift("route table", "{}-private", ("routes", "subnets", "tags"), "ec2", _meddle_with_routes),
    Drift("security group", "{}-functions", ("tags",), "ec2", _ec2_tag("security-group")),
    Drift("rules of security group", "{}-functions", ("egress", "ingress"), "ec2", _meddle_with_rules),
    Drift(
        "VPC endpoint", "{}-rds", ("private_dns", "security_groups", "subnets", "tags"), "ec2", _meddle_with_interface
    ),
    Drift("VPC endpoint", "{}-dynamodb", ("route_tables",), "ec2", _remove_route_table),
    Drift(
        "IAM role", f"{{}}-{STEP}-role",
        ("managed_policies", "permissions_boundary", "policies", "tags", "trust_policy"), "iam", _meddle_with_role,
    ),
    Drift("log group", f"/aws/lambda/{{}}-{STEP}", ("kms_key", "retention_days", "tags"), "logs", _meddle_with_group),
    Drift(
        "CloudWatch Logs resource policy", "{}-log-delivery", ("document",), "logs",
        lambda site, logs, name: logs.put_resource_policy(policyName=name, policyDocument=OPEN_POLICY),
    ),
    Drift(
        "function", f"{{}}-{STEP}",
        (
            "dead_letter_target", "description", "environment", "handler", "kms_key", "live", "log_format", "log_group",
            "log_level", "memory", "reserved_concurrency", "role", "runtime", "security_group_ids", "subnet_ids",
            "tags", "timeout", "tracing",
        ),
        "lambda", _configure_function,
    ),
    Drift("function", f"{{}}-{OTHER_STEP}", ("architecture", "code_sha256", "live"), "lambda", _replace_code),
    Drift(
        "function", f"{{}}-{SWEEP}", ("async_max_age", "async_retries"), "lambda",
        lambda site, client, name: client.put_function_event_invoke_config(
            FunctionName=name, Qualifier="live", MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60
        ),
    ),
    Drift(
        "state machine", "{}-state-machine",
        ("data_key_reuse_seconds", "definition", "kms_key", "live", "logging", "role", "tags", "tracing"),
        "stepfunctions", _meddle_with_machine,
    ),
    Drift(
        "alarm", f"{{}}-{STEP}-errors",
        (
            "actions_enabled", "alarm_actions", "comparison", "datapoints_to_alarm", "description", "dimensions",
            "evaluation_periods", "insufficient_data_actions", "metric", "missing_data", "namespace", "ok_actions",
            "period", "statistic", "tags", "threshold",
        ),
        "cloudwatch", _meddle_with_alarm,
    ),
    Drift(
        "dashboard", "{}", ("body",), "cloudwatch",
        lambda site, cloudwatch, name: cloudwatch.put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}'),
    ),
)  # fmt: skip
"""For a deployment whose functions reach AWS through endpoints."""

NAT_TABLE = (
    Drift("internet gateway", "{}-internet", ("tags", "vpc"), "ec2", _detach_gateway),
    Drift("elastic IP address", "{}-nat", ("tags",), "ec2", _ec2_tag("elastic-ip")),
    Drift("NAT gateway", "{}-nat", ("tags",), "ec2", _ec2_tag("natgateway")),
)
"""For a network with a NAT gateway."""

FIXED: Mapping[str, frozenset[str]] = {
    "DynamoDB table": frozenset({"partition_key", "sort_key"}),
    "VPC": frozenset({"cidr"}),
    "subnet": frozenset({"cidr", "vpc", "zone"}),
    "route table": frozenset({"vpc"}),
    "security group": frozenset({"description", "vpc"}),
    "VPC endpoint": frozenset({"service", "type", "vpc"}),
    "NAT gateway": frozenset({"address", "subnet"}),
    "state machine": frozenset({"type"}),
}
"""What AWS's API cannot change on an existing resource: only removal and creation anew can, and that is refused."""

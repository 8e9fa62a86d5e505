"""A deployment as AWS describes it: by kind and name, without what differs between any two resources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aurora_deploy.diff import canonical
from tests.integration.site.conftest import Site

# Different for any two resources: times, ids that name nothing else, and what AWS counts.
_VOLATILE = frozenset(
    [
        "AlarmConfigurationUpdatedTimestamp",
        "AllowedPrincipals",
        "ARN",
        "AssociationId",
        "AvailabilityZoneId",
        "CreateDate",
        "CreatedDate",
        "creationDate",
        "CreationDate",
        "CreationDateTime",
        "creationTime",
        "CreationTimestamp",
        "CurrentKeyMaterialId",
        "DeletedDate",
        "DnsEntries",
        "EarliestRestorableDateTime",
        "EffectiveDeliveryPolicy",
        "FunctionVersion",
        "ItemCount",
        "LastAccessedDate",
        "LastChangedDate",
        "LastModified",
        "LastUpdateDateTime",
        "LatestRestorableDateTime",
        "Location",
        "NetworkInterfaceIds",
        "NextRotationDate",
        "OwnerId",
        "RevisionId",
        "ResponseMetadata",
        "revisionId",
        "RoleId",
        "RoleLastUsed",
        "RouteTableAssociationId",
        "SecurityGroupRuleId",
        "stateMachineRevisionId",
        "StateReason",
        "StateReasonData",
        "StateTransitionedTimestamp",
        "StateUpdatedTimestamp",
        "StateValue",
        "storedBytes",
        "SubscriptionArn",
        "TableId",
        "TableSizeBytes",
        "updateDate",
        "Version",
        "VersionIdsToStages",
    ]
)


def described(site: Site) -> dict[str, dict[str, Any]]:
    """Return every resource of the account that a deployment makes, by kind and name.

    Ids and the account's number are replaced by what they stand for; names of resources of AWS's own are left out.
    """
    found = {kind: dict(items) for kind, items in _kinds(site)}
    names = {identifier: name for items in found.values() for name, (identifier, _) in items.items() if identifier}
    names[site.account] = "ACCOUNT"
    return {
        kind: {name.replace(site.account, "ACCOUNT"): _scrubbed(value, names) for name, (_, value) in items.items()}
        for kind, items in found.items()
    }


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Yield the paths, without the items' names, at which two descriptions of one resource differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from differences(one.get(key), other.get(key), f"{path}.{key}" if path else key)
    elif one != other:
        yield path


def _scrubbed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        if value.keys() in ({"Key", "Value"}, {"TagKey", "TagValue"}):
            return [str(item) for item in value.values()]
        value = canonical(value)  # a policy says the same in many spellings
        kept = {key: _scrubbed(item, names) for key, item in value.items() if key not in _VOLATILE}
        return {key: item for key, item in kept.items() if item not in (None, [], {}, "")}
    if isinstance(value, (list, tuple)):
        return sorted((_scrubbed(item, names) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    if isinstance(value, str):
        if value.startswith(("{", "[")):
            return _scrubbed(json.loads(value), names)
        for identifier, name in names.items():
            value = value.replace(identifier, name)
        return ",".join(sorted(value.split(","))) if "," in value else value
    return value


Items = Iterator[tuple[str, tuple[str, Any]]]
"""Name, id ("" where the name is one), description."""


def _kinds(site: Site) -> Iterator[tuple[str, Items]]:
    for reader in (_keys, _secrets, _tables, _topics, _roles, _log_groups, _functions, _machines, _alarms):
        yield reader.__name__.removeprefix("_").replace("_", " "), reader(site)
    ec2 = site.client("ec2")
    for kind, key, id_key in (
        ("vpcs", "Vpcs", "VpcId"),
        ("subnets", "Subnets", "SubnetId"),
        ("route_tables", "RouteTables", "RouteTableId"),
        ("security_groups", "SecurityGroups", "GroupId"),
        ("vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    ):
        items = getattr(ec2, f"describe_{kind}")()[key]
        yield (
            kind.replace("_", " "),
            iter(
                [
                    (tag["Value"], (item[id_key], item))
                    for item in items
                    for tag in item.get("Tags", [])
                    if tag["Key"] == "Name" and item.get("State") not in ("deleted", "deleting")
                ]
            ),
        )


def _keys(site: Site) -> Items:
    kms = site.client("kms")
    for alias in kms.list_aliases()["Aliases"]:
        if alias.get("TargetKeyId") and not alias["AliasName"].startswith("alias/aws/"):
            key = alias["TargetKeyId"]
            if kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion":
                continue
            parts = {
                "key": kms.describe_key(KeyId=key)["KeyMetadata"],
                "policy": kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"],
                "rotation": kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"],
                "tags": kms.list_resource_tags(KeyId=key)["Tags"],
            }
            yield alias["AliasName"], (key, parts)


def _secrets(site: Site) -> Items:
    for secret in site.client("secretsmanager").list_secrets()["SecretList"]:
        if not secret.get("DeletedDate"):
            yield secret["Name"], ("", site.client("secretsmanager").describe_secret(SecretId=secret["Name"]))


def _tables(site: Site) -> Items:
    tables = site.client("dynamodb")
    for name in tables.list_tables()["TableNames"]:
        table = tables.describe_table(TableName=name)["Table"]
        parts = {
            "table": table,
            "backups": tables.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"],
            "lifetime": tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"],
            "tags": tables.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"],
        }
        yield name, ("", parts)


def _topics(site: Site) -> Items:
    sns = site.client("sns")
    for topic in sns.list_topics()["Topics"]:
        parts = {
            "attributes": sns.get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"],
            "subscriptions": sns.list_subscriptions_by_topic(TopicArn=topic["TopicArn"])["Subscriptions"],
            "tags": sns.list_tags_for_resource(ResourceArn=topic["TopicArn"])["Tags"],
        }
        yield topic["TopicArn"], ("", parts)


def _roles(site: Site) -> Items:
    for page in site.client("iam").get_paginator("get_account_authorization_details").paginate(Filter=["Role"]):
        for role in page["RoleDetailList"]:
            if role["RoleName"].startswith(f"{site.prefix}-"):
                yield role["RoleName"], ("", role)


def _log_groups(site: Site) -> Items:
    logs = site.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        arn = group["arn"].removesuffix(":*")
        yield group["logGroupName"], ("", {**group, "tags": logs.list_tags_for_resource(resourceArn=arn)["tags"]})


def _functions(site: Site) -> Items:
    client = site.client("lambda")
    for name in (item["FunctionName"] for item in client.list_functions()["Functions"]):
        function = client.get_function(FunctionName=name)
        parts = {
            "configuration": function["Configuration"],
            "concurrency": function.get("Concurrency"),
            "tags": function.get("Tags"),
            "aliases": [alias["Name"] for alias in client.list_aliases(FunctionName=name)["Aliases"]],
            "asynchronous": client.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"],
        }
        yield name, ("", parts)


def _machines(site: Site) -> Items:
    states = site.client("stepfunctions")
    for machine in states.list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        parts = {
            "machine": states.describe_state_machine(stateMachineArn=arn),
            "aliases": [
                alias["stateMachineAliasArn"]
                for alias in states.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]
            ],
            "tags": states.list_tags_for_resource(resourceArn=arn)["tags"],
        }
        yield machine["name"], ("", parts)


def _alarms(site: Site) -> Items:
    cloudwatch = site.client("cloudwatch")
    for alarm in cloudwatch.describe_alarms()["MetricAlarms"]:
        tags = cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
        yield alarm["AlarmName"], ("", {"alarm": alarm, "tags": tags})

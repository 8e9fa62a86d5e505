"""The stack as Terraform's JSON configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.stack import GROUPS, KEY, SUBNETS, VPC, Items, Stack, substitute

Block = dict[str, Any]

_KEY = "${aws_kms_key.key.arn}"
_SUBNET_IDS = "${[for subnet in aws_subnet.subnets : subnet.id]}"


def configuration(stack: Stack, package: str) -> Block:
    """Return main.tf.json: one resource a kind, with for_each over the same items."""
    functions_group = next(name for name in stack.groups if name.endswith("-functions"))
    group_id = f'${{aws_security_group.groups["{functions_group}"].id}}'
    references = {
        KEY: _KEY,
        VPC: "${aws_vpc.vpc.id}",
        SUBNETS: '${join(",", [for subnet in aws_subnet.subnets : subnet.id])}',
        GROUPS: group_id,
    }
    found: dict[str, dict[str, Block]] = {}
    for kind, name, block in (*_base(stack), *_network(stack), *_compute(stack, package, group_id), *_watching(stack)):
        found.setdefault(kind, {})[name] = substitute(block, references)
    provider = {
        "region": stack.region,
        "skip_credentials_validation": True,
        "skip_metadata_api_check": True,
        "skip_region_validation": True,
        "skip_requesting_account_id": False,
    }
    required = {"required_providers": {"aws": {"source": "hashicorp/aws"}}}
    return {"terraform": required, "provider": {"aws": provider}, "resource": found}


def _each(items: Items, *attributes: str) -> dict[str, Any]:
    """Return the values of for_each: only what the block uses, so that every element has the same type."""
    return {name: {attribute: item[attribute] for attribute in attributes} for name, item in items.items()}


def _base(stack: Stack) -> Iterator[tuple[str, str, Block]]:
    for name, key in stack.keys.items():
        block = {"description": key["description"], "policy": json.dumps(key["policy"]), "enable_key_rotation": True}
        yield "aws_kms_key", "key", {**block, "tags": key["tags"]}
        yield "aws_kms_alias", "key", {"name": name, "target_key_id": "${aws_kms_key.key.key_id}"}
    for number, (name, secret) in enumerate(stack.secrets.items()):
        block = {"name": name, "description": secret["description"], "kms_key_id": _KEY, "tags": secret["tags"]}
        yield "aws_secretsmanager_secret", f"secret{number}", block
        text = json.dumps({"username": "benchmark", "password": "not-a-secret"})
        version = {"secret_id": f"${{aws_secretsmanager_secret.secret{number}.id}}", "secret_string": text}
        yield "aws_secretsmanager_secret_version", f"secret{number}", version
    for number, (name, table) in enumerate(stack.tables.items()):
        keys = [table["partition_key"], *([table["sort_key"]] if table["sort_key"] else [])]
        yield (
            "aws_dynamodb_table",
            f"table{number}",
            {
                "name": name,
                "billing_mode": table["billing_mode"],
                "hash_key": keys[0],
                **({"range_key": keys[1]} if keys[1:] else {}),
                "attribute": [{"name": key, "type": "S"} for key in keys],
                "point_in_time_recovery": {"enabled": table["point_in_time_recovery"]},
                "server_side_encryption": {"enabled": True, "kms_key_arn": _KEY},
                **(
                    {"ttl": {"enabled": True, "attribute_name": table["ttl_attribute"]}}
                    if table["ttl_attribute"]
                    else {}
                ),
                "tags": table["tags"],
            },
        )
    for arn, topic in stack.topics.items():
        block = {"name": arn.split(":")[-1], "display_name": topic["display_name"], "kms_master_key_id": _KEY}
        yield "aws_sns_topic", "topic", {**block, "policy": json.dumps(topic["policy"]), "tags": topic["tags"]}


def _network(stack: Stack) -> Iterator[tuple[str, str, Block]]:
    for vpc in stack.vpcs.values():
        block = {"cidr_block": vpc["cidr"], "enable_dns_support": True, "enable_dns_hostnames": True}
        yield "aws_vpc", "vpc", {**block, "tags": vpc["tags"]}
    each = {"for_each": _each(stack.subnets, "cidr", "zone", "tags"), "vpc_id": VPC, "tags": "${each.value.tags}"}
    yield (
        "aws_subnet",
        "subnets",
        {**each, "cidr_block": "${each.value.cidr}", "availability_zone": "${each.value.zone}"},
    )
    for table in stack.route_tables.values():
        yield "aws_route_table", "table", {"vpc_id": VPC, "tags": table["tags"]}
        association = {
            "for_each": {name: name for name in stack.subnets},
            "route_table_id": "${aws_route_table.table.id}",
        }
        yield (
            "aws_route_table_association",
            "table",
            {**association, "subnet_id": "${aws_subnet.subnets[each.key].id}"},
        )
    each = {"for_each": _each(stack.groups, "description", "tags"), "vpc_id": VPC, "tags": "${each.value.tags}"}
    yield "aws_security_group", "groups", {**each, "name": "${each.key}", "description": "${each.value.description}"}
    for kind in ("Interface", "Gateway"):
        items = {name: item for name, item in stack.endpoints.items() if item["type"] == kind}
        block = {"for_each": _each(items, "service", "tags"), "vpc_id": VPC, "tags": "${each.value.tags}"}
        block |= {"service_name": "${each.value.service}", "vpc_endpoint_type": kind}
        if kind == "Interface":
            group = next(name for name in stack.groups if name.endswith("-endpoints"))
            block |= {"subnet_ids": _SUBNET_IDS, "private_dns_enabled": True}
            block |= {"security_group_ids": [f'${{aws_security_group.groups["{group}"].id}}']}
        else:
            block |= {"route_table_ids": ["${aws_route_table.table.id}"]}
        yield "aws_vpc_endpoint", kind.lower(), block


def _compute(stack: Stack, package: str, group_id: str) -> Iterator[tuple[str, str, Block]]:
    roles = {
        name: {"trust": json.dumps(role["trust_policy"]), "tags": role["tags"]} for name, role in stack.roles.items()
    }
    block: Block = {"for_each": roles, "name": "${each.key}", "assume_role_policy": "${each.value.trust}"}
    yield "aws_iam_role", "roles", {**block, "tags": "${each.value.tags}"}
    policies = {
        f"{role}/{name}": {"role": role, "name": name, "document": json.dumps(document)}
        for role, attributes in stack.roles.items()
        for name, document in attributes["policies"].items()
    }
    block = {"for_each": policies, "name": "${each.value.name}", "policy": "${each.value.document}"}
    yield "aws_iam_role_policy", "policies", {**block, "role": "${aws_iam_role.roles[each.value.role].name}"}
    groups = _each(stack.log_groups, "retention_days", "tags")
    block = {"for_each": groups, "name": "${each.key}", "retention_in_days": "${each.value.retention_days}"}
    yield "aws_cloudwatch_log_group", "groups", {**block, "kms_key_id": _KEY, "tags": "${each.value.tags}"}
    attributes = ("runtime", "handler", "role", "description", "timeout", "memory", "architecture", "environment")
    block = {
        "for_each": _each(stack.functions, *attributes, "tracing", "dead_letter_target", "tags"),
        "function_name": "${each.key}",
        "filename": package,
        "source_code_hash": f'${{filebase64sha256("{package}")}}',
        "publish": True,
        "kms_key_arn": _KEY,
        "memory_size": "${each.value.memory}",
        "architectures": ["${each.value.architecture}"],
        "environment": {"variables": "${each.value.environment}"},
        "vpc_config": {"subnet_ids": _SUBNET_IDS, "security_group_ids": [group_id]},
        "tracing_config": {"mode": "${each.value.tracing}"},
        "dead_letter_config": {"target_arn": "${each.value.dead_letter_target}"},
        "depends_on": ["aws_iam_role_policy.policies", "aws_cloudwatch_log_group.groups"],
        **{
            name: f"${{each.value.{name}}}" for name in ("runtime", "handler", "role", "description", "timeout", "tags")
        },
    }
    yield "aws_lambda_function", "functions", block
    block = {"for_each": {name: name for name in stack.functions}, "name": "live", "function_name": "${each.key}"}
    yield (
        "aws_lambda_alias",
        "live",
        {**block, "function_version": "${aws_lambda_function.functions[each.key].version}"},
    )


def _watching(stack: Stack) -> Iterator[tuple[str, str, Block]]:
    for name, machine in stack.machines.items():
        text = json.dumps(machine["definition"]).replace("${", "$${")  # in its comment
        block: Block = {"name": name, "role_arn": machine["role"], "definition": text}
        yield (
            "aws_sfn_state_machine",
            "machine",
            {**block, "tags": machine["tags"], "depends_on": ["aws_iam_role.roles"]},
        )
    simple = {
        "alarm_description": "description",
        "namespace": "namespace",
        "metric_name": "metric",
        "dimensions": "dimensions",
        "threshold": "threshold",
        "comparison_operator": "comparison",
        "period": "period",
        "evaluation_periods": "evaluation_periods",
        "treat_missing_data": "missing_data",
        "alarm_actions": "alarm_actions",
        "tags": "tags",
    }
    for kind, key in (("percentile", "extended_statistic"), ("plain", "statistic")):
        items = {
            name: item
            for name, item in stack.alarms.items()
            if (kind == "percentile") == item["statistic"].startswith("p")
        }
        block = {name: f"${{each.value.{attribute}}}" for name, attribute in simple.items()}
        block |= {key: "${each.value.statistic}", "alarm_name": "${each.key}"}
        yield "aws_cloudwatch_metric_alarm", kind, {"for_each": _each(items, *simple.values(), "statistic"), **block}
    for name, dashboard in stack.dashboards.items():
        yield (
            "aws_cloudwatch_dashboard",
            "dashboard",
            {"dashboard_name": name, "dashboard_body": json.dumps(dashboard["body"])},
        )

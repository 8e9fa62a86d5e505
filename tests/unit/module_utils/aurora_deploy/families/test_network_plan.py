from __future__ import annotations

import dataclasses
import ipaddress
from typing import Any

import pytest

from aurora_deploy.errors import DeployError
from aurora_deploy.families.network_plan import KINDS, NetworkSpec, declare

SPEC = NetworkSpec(
    prefix="ar",
    region="eu-west-1",
    cidr="10.42.0.0/20",
    zones=["eu-west-1a", "eu-west-1b"],
    egress="endpoints",
    interface_services=["rds", "kms"],
    gateway_services=["s3"],
    database_ports=[5432],
    database_cidrs=["10.42.0.0/20"],
    tags={"Project": "ar"},
)


def spec(**changes: Any) -> NetworkSpec:
    return dataclasses.replace(SPEC, **changes)


def test_endpoints_need_no_public_subnet_and_no_gateway() -> None:
    plan = declare(SPEC)
    assert {kind: sorted(plan[kind]) for kind in KINDS} == {
        "vpc": ["ar-vpc"],
        "subnet": ["ar-private-1", "ar-private-2"],
        "internet_gateway": [],
        "address": [],
        "nat_gateway": [],
        "route_table": ["ar-private"],
        "security_group": ["ar-endpoints", "ar-functions"],
        "rules": ["ar-endpoints", "ar-functions"],
        "endpoint": ["ar-kms", "ar-rds", "ar-s3"],
    }


def test_nat_needs_no_endpoints() -> None:
    plan = declare(spec(egress="nat"))
    assert plan["endpoint"] == {}
    assert list(plan["security_group"]) == ["ar-functions"]
    assert plan["route_table"]["ar-private"]["routes"] == {"0.0.0.0/0": "ar-nat"}
    assert plan["route_table"]["ar-public"]["routes"] == {"0.0.0.0/0": "ar-internet"}
    assert plan["nat_gateway"]["ar-nat"]["subnet"] == "ar-public-1"


@pytest.mark.parametrize("egress", ["endpoints", "nat"])
def test_nothing_gets_in_but_functions_to_endpoints(egress: Any) -> None:
    rules = declare(spec(egress=egress))["rules"]
    assert rules["ar-functions"]["ingress"] == []
    ingress = rules.get("ar-endpoints", {"ingress": []})["ingress"]
    assert [(item["peer"], item["from_port"], item["to_port"]) for item in ingress] == (
        [("ar-functions", 443, 443)] if egress == "endpoints" else []
    )


def test_functions_get_out_to_the_databases_and_to_aws_only() -> None:
    egress = declare(SPEC)["rules"]["ar-functions"]["egress"]
    assert {(item["protocol"], item["from_port"], item["peer"]) for item in egress} == {
        ("tcp", 5432, "10.42.0.0/20"),
        ("tcp", 443, "ar-endpoints"),
        ("tcp", 443, "com.amazonaws.eu-west-1.s3"),
    }


def test_everything_but_rules_carries_the_tags_and_its_name() -> None:
    for kind, items in declare(spec(egress="nat")).items():
        for name, attributes in items.items():
            assert kind == "rules" or attributes["tags"] == {"Project": "ar", "Name": name}


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "10.0.0.0/24"])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_subnets_lie_in_the_vpc_and_apart(cidr: str, count: int) -> None:
    zones = [f"eu-west-1{letter}" for letter in "abcdef"[:count]]
    subnets = declare(spec(cidr=cidr, zones=zones, egress="nat"))["subnet"].values()
    blocks = [ipaddress.IPv4Network(subnet["cidr"]) for subnet in subnets]
    assert all(block.subnet_of(ipaddress.IPv4Network(cidr)) for block in blocks)
    assert not any(one.overlaps(other) for one in blocks for other in blocks if one is not other)


def test_a_zone_more_leaves_the_subnets_of_the_others_alone() -> None:
    two, three = declare(SPEC)["subnet"], declare(spec(zones=[*SPEC.zones, "eu-west-1c"]))["subnet"]
    assert {name: three[name] for name in two} == two


def test_every_mistake_is_reported_at_once() -> None:
    wrong = spec(
        zones=["us-east-1a"],
        cidr="10.0.0.0/8",
        database_ports=[22],
        database_cidrs=["10.0.0.1/8"],
        gateway_services=["kms"],
    )
    with pytest.raises(DeployError) as caught:
        declare(wrong)
    parts = ("two or more", "not in the region", "/16 to a /24", "1150", "'10.0.0.1/8', which is no", "at once")
    for part in parts:
        assert part in str(caught.value)

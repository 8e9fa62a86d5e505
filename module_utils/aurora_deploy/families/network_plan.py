"""What a network of ours consists of: pure planning, no AWS. Everything refers to everything else by its Name tag."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aurora_deploy.diff import Attributes
from aurora_deploy.errors import DeployError

Kind = Literal[
    "vpc", "subnet", "internet_gateway", "address", "nat_gateway", "route_table", "security_group", "rules", "endpoint"
]
KINDS: tuple[Kind, ...] = (
    "vpc",
    "subnet",
    "internet_gateway",
    "address",
    "nat_gateway",
    "route_table",
    "security_group",
    "rules",
    "endpoint",
)
"""The order of creation: a kind refers only to kinds before it. Removal goes backwards."""

ANYWHERE = "0.0.0.0/0"
HTTPS = 443


@dataclass(frozen=True)
class NetworkSpec:
    """The declared network.

    `zones` are names of Availability Zones, one private subnet in each; `egress` says how the functions reach AWS; the
    endpoint services are short names such as `rds`; the tags go on everything.
    """

    prefix: str
    region: str
    cidr: str
    zones: Sequence[str]
    egress: Literal["endpoints", "nat"]
    interface_services: Sequence[str]
    gateway_services: Sequence[str]
    database_ports: Sequence[int]
    database_cidrs: Sequence[str]
    tags: Mapping[str, str]


def declare(spec: NetworkSpec) -> dict[Kind, dict[str, Attributes]]:
    """Return every item of the network by kind and Name tag.

    Raises:
        DeployError: the declaration contradicts itself; the message holds every mistake.
    """
    _check(spec)
    nat = spec.egress == "nat"
    private, public = _subnet_cidrs(spec)
    vpc, functions, endpoints = f"{spec.prefix}-vpc", f"{spec.prefix}-functions", f"{spec.prefix}-endpoints"
    private_names = [f"{spec.prefix}-private-{number}" for number in range(1, len(spec.zones) + 1)]
    public_name, internet, gateway = f"{spec.prefix}-public-1", f"{spec.prefix}-internet", f"{spec.prefix}-nat"
    plan: dict[Kind, dict[str, Attributes]] = {kind: {} for kind in KINDS}

    plan["vpc"][vpc] = {"cidr": spec.cidr, "dns_support": True, "dns_hostnames": True}
    for name, cidr, zone in zip(private_names, private, spec.zones, strict=True):
        plan["subnet"][name] = {"vpc": vpc, "cidr": cidr, "zone": zone, "public_addresses": False}
    plan["route_table"][f"{spec.prefix}-private"] = {
        "vpc": vpc,
        "subnets": private_names,
        "routes": {ANYWHERE: gateway} if nat else {},
    }
    if nat:
        plan["subnet"][public_name] = {"vpc": vpc, "cidr": public, "zone": spec.zones[0], "public_addresses": False}
        plan["internet_gateway"][internet] = {"vpc": vpc}
        plan["address"][gateway] = {}
        plan["nat_gateway"][gateway] = {"subnet": public_name, "address": gateway}
        plan["route_table"][f"{spec.prefix}-public"] = {
            "vpc": vpc,
            "subnets": [public_name],
            "routes": {ANYWHERE: internet},
        }
    plan["security_group"][functions] = {"vpc": vpc, "description": f"Lambda functions of {spec.prefix}"}
    egress = [
        rule(port, cidr, "Aurora clusters") for port in sorted(set(spec.database_ports)) for cidr in spec.database_cidrs
    ]
    if nat:
        egress.append(rule(HTTPS, ANYWHERE, "AWS services through the NAT gateway"))
    else:
        egress.append(rule(HTTPS, endpoints, "AWS services through the interface endpoints"))
        egress += [
            rule(HTTPS, service_name(spec.region, service), "AWS service through its gateway endpoint")
            for service in spec.gateway_services
        ]
        plan["security_group"][endpoints] = {"vpc": vpc, "description": f"Interface endpoints of {spec.prefix}"}
        plan["rules"][endpoints] = {"ingress": [rule(HTTPS, functions, "Lambda functions")], "egress": []}
        for service in spec.interface_services:
            plan["endpoint"][f"{spec.prefix}-{service}"] = {
                "vpc": vpc,
                "service": service_name(spec.region, service),
                "type": "Interface",
                "subnets": private_names,
                "security_groups": [endpoints],
                "private_dns": True,
            }
        for service in spec.gateway_services:
            plan["endpoint"][f"{spec.prefix}-{service}"] = {
                "vpc": vpc,
                "service": service_name(spec.region, service),
                "type": "Gateway",
                "route_tables": [f"{spec.prefix}-private"],
            }
    plan["rules"][functions] = {"ingress": [], "egress": egress}
    for kind, items in plan.items():
        if kind != "rules":
            for name, attributes in items.items():
                attributes["tags"] = {**spec.tags, "Name": name}
    return plan


def rule(port: int, peer: str, description: str, last_port: int | None = None, protocol: str = "tcp") -> dict[str, Any]:
    """Return one security group rule. `peer` is a CIDR block, the Name tag of a group, or the name of a prefix list."""
    return {
        "protocol": protocol,
        "from_port": port,
        "to_port": port if last_port is None else last_port,
        "peer": peer,
        "description": description,
    }


def service_name(region: str, service: str) -> str:
    """Return a service's endpoint name; its prefix list shares it (VPC User Guide, "AWS-managed prefix lists")."""
    return f"com.amazonaws.{region}.{service}"


def _check(spec: NetworkSpec) -> None:
    mistakes = []
    if len(set(spec.zones)) < 2 or len(set(spec.zones)) != len(spec.zones):
        mistakes.append(f"vpc_zones must name two or more different Availability Zones, not {list(spec.zones)}")
    if wrong := [zone for zone in spec.zones if not zone.startswith(spec.region)]:
        mistakes.append(f"vpc_zones {wrong} are not in the region {spec.region}")
    try:
        network = ipaddress.IPv4Network(spec.cidr)
    except ValueError as error:
        mistakes.append(f"vpc_cidr {spec.cidr!r} is no IPv4 network ({error})")
    else:
        if not 16 <= network.prefixlen <= 24:
            mistakes.append(f"vpc_cidr {spec.cidr} must be a /16 to a /24 network")
    for cidr in spec.database_cidrs:
        try:
            ipaddress.IPv4Network(cidr)
        except ValueError as error:
            mistakes.append(f"vpc_database_cidrs holds {cidr!r}, which is no IPv4 network ({error})")
    if wrong_ports := [port for port in spec.database_ports if not 1150 <= port <= 65535]:
        mistakes.append(f"vpc_database_ports {wrong_ports} are outside Aurora's range of 1150 to 65535")
    if both := sorted(set(spec.interface_services) & set(spec.gateway_services)):
        mistakes.append(f"{both} cannot be interface and gateway endpoints at once")
    if mistakes:
        raise DeployError("the network cannot be planned: " + "; ".join(mistakes) + ". Fix: correct these variables")


def _subnet_cidrs(spec: NetworkSpec) -> tuple[list[str], str]:
    """Cut the VPC into equal blocks: one a zone for the private subnets, and the last one for the public subnet.

    At least 8 blocks are cut, so that adding a zone at the end leaves the blocks of the others alone.
    """
    network = ipaddress.IPv4Network(spec.cidr)
    bits = max(3, len(spec.zones).bit_length())
    blocks = [str(block) for block in network.subnets(prefixlen_diff=bits)]
    return blocks[: len(spec.zones)], blocks[-1]

"""Whether an existing network fits the functions: nothing is made, every mistake is reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aurora_deploy.clients import Aws
from aurora_deploy.errors import DeployError
from aurora_deploy.families.network_plan import ANYWHERE, HTTPS, service_name

Raw = dict[str, Any]

# kind, filter -> paginator, key of the response, attribute that the filter looks at
_DESCRIBE = {
    ("vpcs", "vpc-id"): ("describe_vpcs", "Vpcs", "VpcId"),
    ("subnets", "subnet-id"): ("describe_subnets", "Subnets", "SubnetId"),
    ("groups", "group-id"): ("describe_security_groups", "SecurityGroups", "GroupId"),
    ("tables", "vpc-id"): ("describe_route_tables", "RouteTables", "VpcId"),
    ("endpoints", "vpc-id"): ("describe_vpc_endpoints", "VpcEndpoints", "VpcId"),
}


def check_existing(aws: Aws, args: Mapping[str, Any]) -> None:
    """Check `vpc_id`, `subnet_ids` and `security_group_ids`.

    Raises:
        DeployError: with every mistake: missing or in another VPC, one zone only, no way to AWS or to the databases.
    """
    given = {key: args[key] for key in ("vpc_id", "subnet_ids", "security_group_ids")}
    if missing := [key for key, value in given.items() if not value]:
        raise DeployError(
            f"an existing network needs vpc_id, subnet_ids and security_group_ids; {' and '.join(missing)} are empty. "
            "Fix: set all three, or none of them to have a network made"
        )
    mistakes = [*_unknown_vpc(aws, args), *_subnet_mistakes(aws, args), *_group_mistakes(aws, args)]
    if mistakes:
        raise DeployError(
            "the existing network does not fit: " + "; ".join(mistakes) + ". Fix: correct the network or the variables"
        )


def _find(aws: Aws, kind: str, filter_name: str, values: Sequence[str]) -> list[Raw]:
    """Describe by filter: an id that does not exist is then left out instead of failing the whole call."""
    operation, key, id_key = _DESCRIBE[kind, filter_name]
    found = aws.pages("ec2", operation, key, Filters=[{"Name": filter_name, "Values": list(values)}])
    return [item for item in found if item[id_key] in values]


def _unknown_vpc(aws: Aws, args: Mapping[str, Any]) -> Iterator[str]:
    if not _find(aws, "vpcs", "vpc-id", [args["vpc_id"]]):
        yield f"the VPC {args['vpc_id']} does not exist in {aws.region}"


def _subnet_mistakes(aws: Aws, args: Mapping[str, Any]) -> Iterator[str]:
    subnets = {item["SubnetId"]: item for item in _find(aws, "subnets", "subnet-id", args["subnet_ids"])}
    yield from _missing("subnet", args["subnet_ids"], subnets)
    for identifier, subnet in subnets.items():
        if subnet["VpcId"] != args["vpc_id"]:
            yield f"the subnet {identifier} is in {subnet['VpcId']}"
    zones = {subnet["AvailabilityZone"] for subnet in subnets.values()}
    if subnets and len(zones) < 2:
        yield f"the subnets are all in {zones.pop()}; two Availability Zones are needed"
    tables = _find(aws, "tables", "vpc-id", [args["vpc_id"]])
    endpoints = _find(aws, "endpoints", "vpc-id", [args["vpc_id"]])
    endpoints = [item for item in endpoints if item["State"].lower() == "available"]
    for identifier in subnets:
        yield from _egress_mistakes(aws, args, identifier, table_of(identifier, tables), endpoints)


def _egress_mistakes(
    aws: Aws, args: Mapping[str, Any], subnet: str, table: Raw | None, endpoints: Iterable[Raw]
) -> Iterator[str]:
    if table and has_way_out(table):
        return
    services = {item["ServiceName"]: item for item in endpoints}
    wanted = [*args["interface_services"], *args["gateway_services"]]
    lacking = [service for service in wanted if service_name(aws.region, service) not in services]
    if lacking:
        yield f"the subnet {subnet} has neither a NAT or transit gateway route nor endpoints for {', '.join(lacking)}"
    for service in args["gateway_services"]:
        endpoint = services.get(service_name(aws.region, service))
        gateway = endpoint and endpoint["VpcEndpointType"] == "Gateway"
        if endpoint and gateway and (not table or table["RouteTableId"] not in endpoint.get("RouteTableIds", [])):
            yield f"the gateway endpoint for {service} is not in the route table of the subnet {subnet}"


def table_of(subnet: str, tables: Iterable[Raw]) -> Raw | None:
    """Return the route table of a subnet: its own, else the VPC's main one."""
    main = None
    for table in tables:
        for association in table["Associations"]:
            if association.get("SubnetId") == subnet:
                return table
            if association.get("Main"):
                main = table
    return main


def has_way_out(table: Raw) -> bool:
    """Tell whether a function gets out: not through an internet gateway, as its network interfaces have no public
    address."""
    return any(
        route.get("DestinationCidrBlock") == ANYWHERE
        and route.get("State", "active") == "active"
        and not route.get("GatewayId", "").startswith("igw-")
        for route in table["Routes"]
    )


def _group_mistakes(aws: Aws, args: Mapping[str, Any]) -> Iterator[str]:
    wanted = args["security_group_ids"]
    groups = {item["GroupId"]: item for item in _find(aws, "groups", "group-id", wanted)}
    yield from _missing("security group", wanted, groups)
    for identifier, group in groups.items():
        if group["VpcId"] != args["vpc_id"]:
            yield f"the security group {identifier} is in {group['VpcId']}"
    permissions = [item for group in groups.values() for item in group["IpPermissionsEgress"]]
    if groups and not allows(permissions, [HTTPS]):
        yield f"no security group allows egress to port {HTTPS}, where the AWS services answer"
    if groups and not allows(permissions, args["database_ports"]):
        yield f"no security group allows egress to any database port of {args['database_ports']}"


def allows(permissions: Iterable[Raw], ports: Iterable[int]) -> bool:
    """Tell whether any of the egress permissions covers any of the TCP ports."""
    wanted = list(ports)
    return any(
        item["IpProtocol"] == "-1"
        or (item["IpProtocol"] == "tcp" and any(item["FromPort"] <= port <= item["ToPort"] for port in wanted))
        for item in permissions
    )


def _missing(what: str, wanted: Iterable[str], found: Iterable[str]) -> Iterator[str]:
    for identifier in sorted(set(wanted) - set(found)):
        yield f"the {what} {identifier} does not exist"

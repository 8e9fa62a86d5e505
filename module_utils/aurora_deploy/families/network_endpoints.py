"""VPC endpoints: how functions without a way to the internet reach AWS."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from aurora_deploy.diff import Attributes
from aurora_deploy.errors import DeployError
from aurora_deploy.families.network_core import NetworkFamily
from aurora_deploy.families.network_state import Raw, tag_specification


class EndpointFamily(NetworkFamily):
    """Interface endpoints (network interfaces in the private subnets) and gateway endpoints (routes)."""

    label = "VPC endpoint"
    kind = "endpoint"
    fixed = ("vpc", "service", "type")
    unordered = ("subnets", "security_groups", "route_tables")

    def attributes(self, raw: Raw) -> Attributes:
        return {
            "vpc": self.state.name(raw["VpcId"]),
            "service": raw["ServiceName"],
            "type": raw["VpcEndpointType"],
            "subnets": [self.state.name(item) for item in raw.get("SubnetIds", [])],
            "security_groups": [self.state.name(item["GroupId"]) for item in raw.get("Groups", [])],
            "route_tables": [self.state.name(item) for item in raw.get("RouteTableIds", [])],
            "private_dns": raw.get("PrivateDnsEnabled", False),
        }

    def create(self, name: str, after: Attributes) -> None:
        endpoint = self.make(
            name,
            "create_vpc_endpoint",
            "VpcEndpoint",
            "VpcEndpointId",
            VpcId=self.state.id("vpc", after["vpc"]),
            ServiceName=after["service"],
            VpcEndpointType=after["type"],
            TagSpecifications=tag_specification("vpc-endpoint", after["tags"]),
            **({"PrivateDnsEnabled": after["private_dns"]} if "private_dns" in after else {}),
            **{key: ids for key, _, ids in self._references(after) if ids},
        )
        self._wait(endpoint, "available")

    def change(self, identifier: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        parameters: dict[str, Any] = {}
        current = {attribute: set(ids) for _, attribute, ids in self._references(before)}
        for key, attribute, ids in self._references(after):
            if attribute in changed:
                parameters[f"Add{key}"] = sorted(set(ids) - current[attribute])
                parameters[f"Remove{key}"] = sorted(current[attribute] - set(ids))
        if "private_dns" in changed:
            parameters["PrivateDnsEnabled"] = after["private_dns"]
        parameters = {key: value for key, value in parameters.items() if value != []}
        if parameters:
            self.ec2.modify_vpc_endpoint(VpcEndpointId=identifier, **parameters)
            self._wait(identifier, "available")

    def delete(self, name: str, before: Attributes) -> None:
        identifier = self.state.id("endpoint", name)
        for failure in self.ec2.delete_vpc_endpoints(VpcEndpointIds=[identifier]).get("Unsuccessful", []):
            raise DeployError(f"cannot be deleted: {failure['Error']['Message']}")
        self._wait(identifier, "deleted")

    def _references(self, attributes: Attributes) -> Iterator[tuple[str, str, list[str]]]:
        """Yield the API's parameter, our attribute, and the ids; what is not ours is named by its id already."""
        for key, attribute, kind in (
            ("SubnetIds", "subnets", "subnet"),
            ("SecurityGroupIds", "security_groups", "security_group"),
            ("RouteTableIds", "route_tables", "route_table"),
        ):
            names = attributes.get(attribute, [])
            foreign = ("subnet-", "sg-", "rtb-")
            yield key, attribute, [name if name.startswith(foreign) else self.state.id(kind, name) for name in names]  # type: ignore[arg-type]

    def _wait(self, identifier: str, state: str) -> None:
        acceptors: list[dict[str, Any]] = [
            {"state": "success", "matcher": "pathAll", "argument": "VpcEndpoints[].State", "expected": state},
            {"state": "failure", "matcher": "pathAny", "argument": "VpcEndpoints[].State", "expected": "failed"},
        ]
        if state == "deleted":
            acceptors += [
                {"state": "success", "matcher": "error", "expected": "InvalidVpcEndpointId.NotFound"},
                {"state": "success", "matcher": "path", "argument": "length(VpcEndpoints)", "expected": 0},
            ]
        self.aws.wait("ec2", "DescribeVpcEndpoints", acceptors, delay=5, attempts=120, VpcEndpointIds=[identifier])

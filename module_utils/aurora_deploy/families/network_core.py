"""The parts of a network that everything else stands in: VPC, subnets, internet gateway, address, NAT gateway."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from aurora_deploy.clients import Aws
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family
from aurora_deploy.errors import DeployError
from aurora_deploy.families.network_plan import Kind
from aurora_deploy.families.network_state import NetworkState, Raw, tag_specification, tags_of
from aurora_deploy.families.propagation import made_once, once_propagated
from aurora_deploy.tags import removed, tag_list


class NetworkFamily(Family):
    """One kind of network resource, found by its Name tag, read from the state that all kinds share."""

    kind: ClassVar[Kind]
    fixed_remedy = (
        "restore the variable's old value, or destroy the deployment first, or deploy under another name_prefix"
    )

    def __init__(self, aws: Aws, state: NetworkState) -> None:
        super().__init__(aws)
        self.state = state
        self.ec2: Any = aws.client("ec2")
        self._looked = False

    @abstractmethod
    def attributes(self, raw: Raw) -> Attributes:
        """Return the attributes, besides the tags, of what EC2 described."""

    @abstractmethod
    def change(self, identifier: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """Change what is neither fixed nor a tag."""

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        """Return everything of ours of this kind; no call at first: the state has been read already."""
        if names and self._looked:
            self.state.look(self.kind)
        self._looked = self._looked or bool(names)
        return {name: {**self.attributes(raw), "tags": tags_of(raw)} for name, raw in self.state.raw(self.kind).items()}

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """Change the attributes, then bring the tags in line."""
        identifier = self.state.id(self.kind, name)
        self.change(identifier, before, after, [attribute for attribute in changed if attribute != "tags"])
        if "tags" in changed:
            if gone := removed(before["tags"], after["tags"]):
                self.ec2.delete_tags(Resources=[identifier], Tags=[{"Key": key} for key in gone])
            self.ec2.create_tags(Resources=[identifier], Tags=tag_list(after["tags"]))

    def write(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call EC2, patiently: what was just made may not be known everywhere yet (EC2 API Reference, "Eventual
        consistency in the Amazon EC2 API")."""
        call = getattr(self.ec2, operation)
        answer: dict[str, Any] = once_propagated(lambda: call(**parameters), _not_yet_known, seconds=30)
        return answer

    def make(self, name: str, operation: str, *path: str, **parameters: Any) -> str:
        """Create what EC2 takes no client token for, exactly once, and return its id, at `path` in the answer."""
        call = getattr(self.aws.client("ec2", retries=False), operation)

        def make() -> str:
            answer: Any = once_propagated(lambda: call(**parameters), _not_yet_known, seconds=30)
            for key in path:
                answer = answer[key]
            return str(answer)

        def find() -> str | None:
            self.state.look(self.kind)
            return self.state.id(self.kind, name) if name in self.state.raw(self.kind) else None

        identifier = made_once(make, find)
        self.state.learn(self.kind, name, identifier)
        return identifier

    def wait_for_interfaces(self, filter_name: str, identifier: str) -> None:
        """Wait until no network interface uses a subnet or a group: Lambda gives its own back tens of minutes after a
        function is deleted (Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC")."""
        none_left = {"state": "success", "matcher": "path", "argument": "length(NetworkInterfaces)", "expected": 0}
        filters = [{"Name": filter_name, "Values": [identifier]}]
        self.aws.wait("ec2", "DescribeNetworkInterfaces", [none_left], delay=15, attempts=160, Filters=filters)


def _not_yet_known(error: ClientError) -> bool:
    return str(error.response["Error"]["Code"]).endswith(".NotFound")


class VpcFamily(NetworkFamily):
    """The VPC. Private DNS of interface endpoints needs both DNS attributes."""

    label = "VPC"
    kind = "vpc"
    fixed = ("cidr",)

    def attributes(self, raw: Raw) -> Attributes:
        return {
            "cidr": raw["CidrBlock"],
            "dns_support": raw["EnableDnsSupport"],
            "dns_hostnames": raw["EnableDnsHostnames"],
        }

    def create(self, name: str, after: Attributes) -> None:
        tags = tag_specification("vpc", after["tags"])
        vpc = self.make(name, "create_vpc", "Vpc", "VpcId", CidrBlock=after["cidr"], TagSpecifications=tags)
        self.ec2.get_waiter("vpc_available").wait(VpcIds=[vpc])
        self.change(vpc, {}, after, ["dns_support", "dns_hostnames"])

    def change(self, identifier: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        for attribute, parameter in (("dns_support", "EnableDnsSupport"), ("dns_hostnames", "EnableDnsHostnames")):
            if attribute in changed:  # EC2 takes one attribute a call
                self.write("modify_vpc_attribute", VpcId=identifier, **{parameter: {"Value": after[attribute]}})

    def delete(self, name: str, before: Attributes) -> None:
        self.ec2.delete_vpc(VpcId=self.state.id("vpc", name))


class SubnetFamily(NetworkFamily):
    """Subnets, each in one Availability Zone."""

    label = "subnet"
    kind = "subnet"
    fixed = ("vpc", "cidr", "zone")

    def attributes(self, raw: Raw) -> Attributes:
        return {
            "vpc": self.state.name(raw["VpcId"]),
            "cidr": raw["CidrBlock"],
            "zone": raw["AvailabilityZone"],
            "public_addresses": raw["MapPublicIpOnLaunch"],
        }

    def create(self, name: str, after: Attributes) -> None:
        subnet = self.make(
            name,
            "create_subnet",
            "Subnet",
            "SubnetId",
            VpcId=self.state.id("vpc", after["vpc"]),
            CidrBlock=after["cidr"],
            AvailabilityZone=after["zone"],
            TagSpecifications=tag_specification("subnet", after["tags"]),
        )
        self.ec2.get_waiter("subnet_available").wait(SubnetIds=[subnet])

    def change(self, identifier: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        if "public_addresses" in changed:
            value = {"Value": after["public_addresses"]}
            self.ec2.modify_subnet_attribute(SubnetId=identifier, MapPublicIpOnLaunch=value)

    def delete(self, name: str, before: Attributes) -> None:
        identifier = self.state.id("subnet", name)
        self.wait_for_interfaces("subnet-id", identifier)
        self.ec2.delete_subnet(SubnetId=identifier)


class InternetGatewayFamily(NetworkFamily):
    """The internet gateway of the public subnet."""

    label = "internet gateway"
    kind = "internet_gateway"

    def attributes(self, raw: Raw) -> Attributes:
        attached = [self.state.name(item["VpcId"]) for item in raw.get("Attachments", [])]
        return {"vpc": attached[0] if attached else None}

    def create(self, name: str, after: Attributes) -> None:
        tags = tag_specification("internet-gateway", after["tags"])
        path = ("InternetGateway", "InternetGatewayId")
        gateway = self.make(name, "create_internet_gateway", *path, TagSpecifications=tags)
        self.change(gateway, {"vpc": None}, after, ["vpc"])

    def change(self, identifier: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        if "vpc" in changed:
            if before["vpc"]:
                raise DeployError(f"is attached to {before['vpc']}. Fix: detach {identifier} there")
            self.write(
                "attach_internet_gateway", InternetGatewayId=identifier, VpcId=self.state.id("vpc", after["vpc"])
            )

    def delete(self, name: str, before: Attributes) -> None:
        identifier = self.state.id("internet_gateway", name)
        if before["vpc"]:
            self.ec2.detach_internet_gateway(InternetGatewayId=identifier, VpcId=self.state.id("vpc", before["vpc"]))
        self.ec2.delete_internet_gateway(InternetGatewayId=identifier)


class AddressFamily(NetworkFamily):
    """The fixed public address of the NAT gateway."""

    label = "elastic IP address"
    kind = "address"

    def attributes(self, raw: Raw) -> Attributes:
        return {}

    def create(self, name: str, after: Attributes) -> None:
        tags = tag_specification("elastic-ip", after["tags"])
        self.make(name, "allocate_address", "AllocationId", Domain="vpc", TagSpecifications=tags)

    def change(self, identifier: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """An address has nothing but its tags."""

    def delete(self, name: str, before: Attributes) -> None:
        self.ec2.release_address(AllocationId=self.state.id("address", name))


class NatGatewayFamily(NetworkFamily):
    """The NAT gateway; it takes minutes to come and to go."""

    label = "NAT gateway"
    kind = "nat_gateway"
    fixed = ("subnet", "address")

    def attributes(self, raw: Raw) -> Attributes:
        addresses = [
            self.state.name(item["AllocationId"]) for item in raw["NatGatewayAddresses"] if "AllocationId" in item
        ]
        return {"subnet": self.state.name(raw["SubnetId"]), "address": addresses[0] if addresses else None}

    def create(self, name: str, after: Attributes) -> None:
        gateway = self.write(
            "create_nat_gateway",
            SubnetId=self.state.id("subnet", after["subnet"]),
            AllocationId=self.state.id("address", after["address"]),
            TagSpecifications=tag_specification("natgateway", after["tags"]),
        )["NatGateway"]
        self.ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[gateway["NatGatewayId"]])
        self.state.learn("nat_gateway", name, gateway["NatGatewayId"])

    def change(self, identifier: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """Everything but the tags is fixed."""

    def delete(self, name: str, before: Attributes) -> None:
        identifier = self.state.id("nat_gateway", name)
        self.ec2.delete_nat_gateway(NatGatewayId=identifier)
        self.ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[identifier])

"""The parts of a network that everything else stands in: VPC, subnets, internet gateway, address, NAT gateway."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from typing import Any, ClassVar

from aurora_deploy.clients import Aws
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family
from aurora_deploy.errors import DeployError
from aurora_deploy.families.network_plan import Kind
from aurora_deploy.families.network_state import NetworkState, Raw, tag_specification, tags_of


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

    @abstractmethod
    def attributes(self, raw: Raw) -> Attributes:
        """Return the attributes, besides the tags, of what EC2 described."""

    @abstractmethod
    def change(self, identifier: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """Change what is neither fixed nor a tag."""

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        """Return everything of ours of this kind; no call: the state has been read already."""
        return {name: {**self.attributes(raw), "tags": tags_of(raw)} for name, raw in self.state.raw(self.kind).items()}

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """Change the attributes, then bring the tags in line."""
        identifier = self.state.id(self.kind, name)
        self.change(identifier, before, after, [attribute for attribute in changed if attribute != "tags"])
        if "tags" in changed:
            if gone := sorted(set(before["tags"]) - set(after["tags"])):
                self.ec2.delete_tags(Resources=[identifier], Tags=[{"Key": key} for key in gone])
            self.ec2.create_tags(Resources=[identifier], Tags=tag_specification("", after["tags"])[0]["Tags"])

    def wait_for_interfaces(self, filter_name: str, identifier: str) -> None:
        """Wait until no network interface uses a subnet or a group: Lambda gives its own back tens of minutes after a
        function is deleted (Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC")."""
        none_left = {"state": "success", "matcher": "path", "argument": "length(NetworkInterfaces)", "expected": 0}
        filters = [{"Name": filter_name, "Values": [identifier]}]
        self.aws.wait("ec2", "DescribeNetworkInterfaces", [none_left], delay=15, attempts=160, Filters=filters)


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
        vpc = self.ec2.create_vpc(CidrBlock=after["cidr"], TagSpecifications=tag_specification("vpc", after["tags"]))[
            "Vpc"
        ]
        self.ec2.get_waiter("vpc_available").wait(VpcIds=[vpc["VpcId"]])
        self.state.learn("vpc", name, vpc["VpcId"])
        self.change(vpc["VpcId"], {}, after, ["dns_support", "dns_hostnames"])

    def change(self, identifier: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        for attribute, parameter in (("dns_support", "EnableDnsSupport"), ("dns_hostnames", "EnableDnsHostnames")):
            if attribute in changed:  # EC2 takes one attribute a call
                self.ec2.modify_vpc_attribute(VpcId=identifier, **{parameter: {"Value": after[attribute]}})

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
        subnet = self.ec2.create_subnet(
            VpcId=self.state.id("vpc", after["vpc"]),
            CidrBlock=after["cidr"],
            AvailabilityZone=after["zone"],
            TagSpecifications=tag_specification("subnet", after["tags"]),
        )["Subnet"]
        self.ec2.get_waiter("subnet_available").wait(SubnetIds=[subnet["SubnetId"]])
        self.state.learn("subnet", name, subnet["SubnetId"])

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
        gateway = self.ec2.create_internet_gateway(TagSpecifications=tags)["InternetGateway"]
        self.state.learn("internet_gateway", name, gateway["InternetGatewayId"])
        self.change(gateway["InternetGatewayId"], {"vpc": None}, after, ["vpc"])

    def change(self, identifier: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        if "vpc" in changed:
            if before["vpc"]:
                raise DeployError(f"is attached to {before['vpc']}. Fix: detach {identifier} there")
            self.ec2.attach_internet_gateway(InternetGatewayId=identifier, VpcId=self.state.id("vpc", after["vpc"]))

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
        self.state.learn(
            "address", name, self.ec2.allocate_address(Domain="vpc", TagSpecifications=tags)["AllocationId"]
        )

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
        gateway = self.ec2.create_nat_gateway(
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

"""What decides where packets may go: route tables, and security groups with their rules."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from aurora_deploy.diff import Attributes
from aurora_deploy.errors import DeployError
from aurora_deploy.families.network_core import NetworkFamily
from aurora_deploy.families.network_plan import ANYWHERE, rule
from aurora_deploy.families.network_state import Raw, tag_specification

Rule = dict[str, Any]


_TO_OTHER_NETWORKS = ("VpcPeeringConnectionId", "TransitGatewayId", "CoreNetworkArn")


class RouteTableFamily(NetworkFamily):
    """Route tables with their subnets. The routes that the VPC and its gateway endpoints add by themselves are theirs,
    and those to the networks of the clusters belong to whoever connected the two networks."""

    label = "route table"
    kind = "route_table"
    fixed = ("vpc",)
    unordered = ("subnets",)

    def attributes(self, raw: Raw) -> Attributes:
        routes = {
            route["DestinationCidrBlock"]: self.state.name(
                route.get("NatGatewayId") or route.get("GatewayId") or "another target"
            )
            for route in raw["Routes"]
            if "DestinationCidrBlock" in route and route.get("GatewayId") != "local" and not _leads_to_a_network(route)
        }
        associations = {
            self.state.name(item["SubnetId"]): item["RouteTableAssociationId"]
            for item in raw["Associations"]
            if item.get("SubnetId")
        }
        return {
            "vpc": self.state.name(raw["VpcId"]),
            "routes": routes,
            "subnets": list(associations),
            "_associations": associations,
        }

    def create(self, name: str, after: Attributes) -> None:
        tags = tag_specification("route-table", after["tags"])
        vpc = self.state.id("vpc", after["vpc"])
        table = self.write("create_route_table", VpcId=vpc, TagSpecifications=tags)["RouteTable"]
        self.state.learn("route_table", name, table["RouteTableId"])
        nothing: Attributes = {"routes": {}, "subnets": [], "_associations": {}}
        self.change(table["RouteTableId"], nothing, after, ["routes", "subnets"])

    def change(self, identifier: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        if "routes" in changed:
            for cidr in before["routes"].keys() - after["routes"].keys():
                self.ec2.delete_route(RouteTableId=identifier, DestinationCidrBlock=cidr)
            for cidr, target in after["routes"].items():
                if before["routes"].get(cidr) != target:
                    operation = "replace_route" if cidr in before["routes"] else "create_route"
                    self.write(operation, RouteTableId=identifier, DestinationCidrBlock=cidr, **self._target(target))
        if "subnets" in changed:
            for subnet in set(before["subnets"]) - set(after["subnets"]):
                self.ec2.disassociate_route_table(AssociationId=before["_associations"][subnet])
            for subnet in set(after["subnets"]) - set(before["subnets"]):
                self._associate(identifier, self.state.id("subnet", subnet))

    def delete(self, name: str, before: Attributes) -> None:
        for association in before["_associations"].values():
            self.ec2.disassociate_route_table(AssociationId=association)
        self.ec2.delete_route_table(RouteTableId=self.state.id("route_table", name))

    def _target(self, name: str) -> dict[str, str]:
        if name in self.state.raw("nat_gateway") or name.endswith("-nat"):
            return {"NatGatewayId": self.state.id("nat_gateway", name)}
        return {"GatewayId": self.state.id("internet_gateway", name)}

    def _associate(self, table: str, subnet: str) -> None:
        """A subnet has one table: one that somebody moved is moved back."""
        filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
        for other in self.aws.pages("ec2", "describe_route_tables", "RouteTables", Filters=filters):
            for item in other["Associations"]:
                if item.get("SubnetId") == subnet:
                    association = item["RouteTableAssociationId"]
                    self.ec2.replace_route_table_association(AssociationId=association, RouteTableId=table)
                    return
        self.write("associate_route_table", RouteTableId=table, SubnetId=subnet)


def _leads_to_a_network(route: Raw) -> bool:
    """Tell whether a route is the way to another network; one to everywhere is a way out, and that is ours to say."""
    return route["DestinationCidrBlock"] != ANYWHERE and any(route.get(target) for target in _TO_OTHER_NETWORKS)


class SecurityGroupFamily(NetworkFamily):
    """Security groups without their rules: groups name each other in rules, so all groups come first."""

    label = "security group"
    kind = "security_group"
    fixed = ("vpc", "description")

    def attributes(self, raw: Raw) -> Attributes:
        return {"vpc": self.state.name(raw["VpcId"]), "description": raw["Description"]}

    def create(self, name: str, after: Attributes) -> None:
        group = self.make(
            name,
            "create_security_group",
            "GroupId",
            GroupName=name,
            Description=after["description"],
            VpcId=self.state.id("vpc", after["vpc"]),
            TagSpecifications=tag_specification("security-group", after["tags"]),
        )
        # EC2 gives every new group this one rule; a run killed before this call leaves it for the rules' comparison
        # to find.
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}]
        self.write("revoke_security_group_egress", GroupId=group, IpPermissions=everything)

    def change(self, identifier: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """Everything but the tags is fixed."""

    def delete(self, name: str, before: Attributes) -> None:
        identifier = self.state.id("security_group", name)
        self.wait_for_interfaces("group-id", identifier)
        self.ec2.delete_security_group(GroupId=identifier)


class RulesFamily(NetworkFamily):
    """The rules of a security group; the item has the group's name and exists while there is any rule."""

    label = "rules of security group"
    kind = "rules"
    unordered = ("ingress", "egress")

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        read = super().read(names)
        return {name: rules for name, rules in read.items() if rules["ingress"] or rules["egress"]}

    def attributes(self, raw: Raw) -> Attributes:
        return {
            "ingress": [item for permission in raw["IpPermissions"] for item in self._rules(permission)],
            "egress": [item for permission in raw["IpPermissionsEgress"] for item in self._rules(permission)],
        }

    def create(self, name: str, after: Attributes) -> None:
        self.update(name, {"ingress": [], "egress": []}, after, ["ingress", "egress"])

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        self.change(self.state.id("security_group", name), before, after, changed)

    def change(self, identifier: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """Rules that go are revoked first: one that differs by its description only counts as the same rule to EC2."""
        for direction in changed:
            gone = [item for item in before[direction] if item not in after[direction]]
            new = [item for item in after[direction] if item not in before[direction]]
            for verb, rules in (("revoke", gone), ("authorize", new)):
                if rules:
                    permissions = [self._permission(item) for item in rules]
                    self.write(f"{verb}_security_group_{direction}", GroupId=identifier, IpPermissions=permissions)

    def delete(self, name: str, before: Attributes) -> None:
        self.update(name, before, {"ingress": [], "egress": []}, ["ingress", "egress"])

    def _rules(self, permission: Raw) -> Iterator[Rule]:
        peers = [(item["CidrIp"], item) for item in permission.get("IpRanges", [])]
        peers += [(item["CidrIpv6"], item) for item in permission.get("Ipv6Ranges", [])]
        peers += [(self.state.name(item["GroupId"]), item) for item in permission.get("UserIdGroupPairs", [])]
        peers += [(self.state.name(item["PrefixListId"]), item) for item in permission.get("PrefixListIds", [])]
        for peer, item in peers:
            ports = permission.get("FromPort", -1), permission.get("ToPort", -1)
            yield rule(ports[0], peer, item.get("Description", ""), ports[1], permission["IpProtocol"])

    def _permission(self, item: Rule) -> dict[str, Any]:
        peer, permission = item["peer"], {"IpProtocol": item["protocol"]}
        if item["protocol"] != "-1":
            permission |= {"FromPort": item["from_port"], "ToPort": item["to_port"]}
        described = {"Description": item["description"]} if item["description"] else {}
        if ":" in peer:
            return {**permission, "Ipv6Ranges": [{"CidrIpv6": peer, **described}]}
        if "/" in peer:
            return {**permission, "IpRanges": [{"CidrIp": peer, **described}]}
        if peer.startswith(("com.amazonaws.", "pl-")):
            return {**permission, "PrefixListIds": [{"PrefixListId": self._prefix_list(peer), **described}]}
        group = peer if peer.startswith("sg-") else self.state.id("security_group", peer)
        return {**permission, "UserIdGroupPairs": [{"GroupId": group, **described}]}

    def _prefix_list(self, name: str) -> str:
        if name.startswith("pl-"):
            return name
        try:
            return self.state.prefix_lists[name]
        except KeyError:
            raise DeployError(f"this region has no prefix list {name}. Fix: check vpc_gateway_services") from None

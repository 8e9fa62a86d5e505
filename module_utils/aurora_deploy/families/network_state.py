"""The network as EC2 describes it, read once a task: all kinds side by side, every reference turned into a Name tag."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aurora_deploy.clients import THREADS, Aws
from aurora_deploy.diff import UNKNOWN
from aurora_deploy.errors import DeployError
from aurora_deploy.families.network_plan import Kind
from aurora_deploy.tags import tag_list, tag_map

Raw = dict[str, Any]

# kind -> paginator, key of the response, key of the id
_DESCRIBE: dict[Kind, tuple[str, str, str]] = {
    "vpc": ("describe_vpcs", "Vpcs", "VpcId"),
    "subnet": ("describe_subnets", "Subnets", "SubnetId"),
    "internet_gateway": ("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    "nat_gateway": ("describe_nat_gateways", "NatGateways", "NatGatewayId"),
    "route_table": ("describe_route_tables", "RouteTables", "RouteTableId"),
    "security_group": ("describe_security_groups", "SecurityGroups", "GroupId"),
    "endpoint": ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
}
# Only a NAT gateway needs them, so they are described where EC2 lists any tag of theirs: kind -> resource type
_FOR_NAT: dict[Kind, str] = {
    "internet_gateway": "internet-gateway",
    "address": "elastic-ip",
    "nat_gateway": "natgateway",
}
_GONE = ("deleted", "deleting", "failed")


class NetworkState:
    """What carries our Project tag, by kind and Name tag. `learn` and `forget` keep it current while families write."""

    def __init__(self, aws: Aws, prefix: str) -> None:
        self._aws = aws
        self._prefix = prefix
        self._lock = threading.Lock()
        self._raw: dict[Kind, dict[str, Raw]] = {kind: {} for kind in _FOR_NAT}
        self._ids: dict[tuple[Kind, str], str] = {}
        self._names: dict[str, str] = {}
        self.prefix_lists: dict[str, str] = {}
        """Ids of the AWS-managed prefix lists by name, for example com.amazonaws.eu-west-1.s3."""
        self._load()

    def raw(self, kind: Kind) -> dict[str, Raw]:
        """Return EC2's descriptions of one kind by Name tag, as they were when the task began."""
        return self._raw["security_group" if kind == "rules" else kind]

    def id(self, kind: Kind, name: str) -> str:
        """Return the id of one of ours; raises DeployError where it does not exist."""
        with self._lock:
            found = self._ids.get((kind, name))
        if found is None:
            raise DeployError(f"the {kind.replace('_', ' ')} {name} does not exist. Fix: run again with --tags vpc")
        return found

    def id_if_made(self, kind: Kind, name: str) -> str:
        """Return the id of one of ours, `UNKNOWN` for one that a run would make."""
        with self._lock:
            return self._ids.get((kind, name), UNKNOWN)

    def name(self, identifier: str) -> str:
        """Return the Name tag of one of ours, and the id itself of what is not ours: then it shows as drift."""
        return self._names.get(identifier, identifier)

    def zones(self) -> list[str]:
        """Return the zones of our private subnets by number; for the first two, if not made yet, those that EC2 offers.

        Not every account has every letter of a region's zones: DescribeAvailabilityZones says which.
        """
        private = f"{self._prefix}-private-"
        made = {
            int(name.removeprefix(private)): str(raw["AvailabilityZone"])
            for name, raw in self._raw["subnet"].items()
            if name.removeprefix(private).isdecimal()
        }
        numbers = range(1, max(2, *made) + 1) if made else range(1, 3)
        if missing := [number for number in numbers if number not in made]:
            made.update(zip(missing, [zone for zone in self._offered() if zone not in made.values()], strict=False))
        return [made[number] for number in numbers if number in made]

    def _offered(self) -> list[str]:
        filters = {"state": "available", "zone-type": "availability-zone", "opt-in-status": "opt-in-not-required"}
        zones = self._aws.client("ec2").describe_availability_zones(
            Filters=[{"Name": name, "Values": [value]} for name, value in filters.items()]
        )["AvailabilityZones"]
        return sorted(zone["ZoneName"] for zone in zones)

    def learn(self, kind: Kind, name: str, identifier: str) -> None:
        """Remember what was just created."""
        with self._lock:
            self._ids[kind, name] = identifier

    def _load(self) -> None:
        always: list[Callable[[], None]] = [
            lambda kind=kind: self.look(kind)  # type: ignore[misc]
            for kind in _DESCRIBE
            if kind not in _FOR_NAT
        ]
        with ThreadPoolExecutor(THREADS) as pool:
            for future in [pool.submit(reader) for reader in (*always, self._look_for_nat, self._describe_lists)]:
                future.result()

    def _look_for_nat(self) -> None:
        """DescribeTags: one call instead of three where there is no way out to the internet."""
        types = {"Name": "resource-type", "Values": list(_FOR_NAT.values())}
        project = [{"Name": "key", "Values": ["Project"]}, {"Name": "value", "Values": [self._prefix]}]
        if any(self._aws.pages("ec2", "describe_tags", "Tags", Filters=[types, *project])):
            for kind in _FOR_NAT:
                self.look(kind)

    def look(self, kind: Kind) -> None:
        """Read one kind, at the beginning and again where EC2 says that something is not as it was read."""
        if kind == "address":
            self._describe_addresses()
        else:
            self._describe("security_group" if kind == "rules" else kind)
        if kind == "vpc":
            self._describe_dns()

    def _describe_dns(self) -> None:
        for raw in self._raw["vpc"].values():
            for attribute in ("enableDnsSupport", "enableDnsHostnames"):
                answer = self._aws.client("ec2").describe_vpc_attribute(VpcId=raw["VpcId"], Attribute=attribute)
                key = attribute[0].upper() + attribute[1:]
                raw[key] = answer[key]["Value"]

    def _describe(self, kind: Kind) -> None:
        operation, key, id_key = _DESCRIBE[kind]
        parameter = "Filter" if kind == "nat_gateway" else "Filters"
        items = self._aws.pages("ec2", operation, key, **{parameter: self._filters()})
        self._keep(kind, id_key, [item for item in items if item.get("State") not in _GONE])

    def _describe_addresses(self) -> None:
        """DescribeAddresses is not paginated."""
        self._keep(
            "address", "AllocationId", self._aws.client("ec2").describe_addresses(Filters=self._filters())["Addresses"]
        )

    def _describe_lists(self) -> None:
        lists = self._aws.pages(
            "ec2", "describe_managed_prefix_lists", "PrefixLists", Filters=[{"Name": "owner-id", "Values": ["AWS"]}]
        )
        self.prefix_lists = {item["PrefixListName"]: item["PrefixListId"] for item in lists}
        self._names.update({identifier: name for name, identifier in self.prefix_lists.items()})

    def _filters(self) -> list[dict[str, Any]]:
        return [{"Name": "tag:Project", "Values": [self._prefix]}]

    def _keep(self, kind: Kind, id_key: str, items: list[Raw]) -> None:
        self._raw[kind] = {}
        for item in items:
            tags = tags_of(item)
            name = tags.get("Name", "")
            if tags.get("Project") != self._prefix or not name.startswith(f"{self._prefix}-"):
                continue
            if name in self._raw[kind]:
                raise DeployError(
                    f"two resources of the kind {kind.replace('_', ' ')} carry the Name tag {name}: "
                    f"{self._ids[kind, name]} and {item[id_key]}. Fix: delete the one that is not in use"
                )
            self._raw[kind][name] = item
            self._ids[kind, name] = item[id_key]
            self._names[item[id_key]] = name


def tags_of(raw: Raw) -> dict[str, str]:
    """Return EC2's tag list as a mapping."""
    return tag_map(raw.get("Tags", []))


def tag_specification(resource_type: str, tags: dict[str, str]) -> list[dict[str, Any]]:
    """Return the tags for a create call: a run that is killed right after it finds the resource again."""
    return [{"ResourceType": resource_type, "Tags": tag_list(tags)}]

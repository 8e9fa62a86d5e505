"""What Amazon RDS offers and allows in one region: quotas, engine versions, groups. Reading only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aurora_restore.aws.calls import call


@dataclass(frozen=True)
class Quota:
    """AccountQuota: how many of something there are, and may be."""

    used: int
    most: int


@dataclass(frozen=True)
class SubnetGroup:
    """DBSubnetGroup: its status, and the zones of its active subnets."""

    status: str
    zones: frozenset[str]


class Offers:
    """One method per API call; all raise the typed errors of `aws.calls`, ResourceMissing for an unknown name."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def quotas(self) -> dict[str, Quota]:
        """By AccountQuotaName (DescribeAccountAttributes)."""
        found = call(self._client.describe_account_attributes)["AccountQuotas"]
        return {item["AccountQuotaName"]: Quota(int(item["Used"]), int(item["Max"])) for item in found}

    def subnet_group(self, name: str) -> SubnetGroup:
        """DescribeDBSubnetGroups."""
        found = call(self._client.describe_db_subnet_groups, DBSubnetGroupName=name)["DBSubnetGroups"][0]
        zones = frozenset(
            subnet["SubnetAvailabilityZone"]["Name"]
            for subnet in found["Subnets"]
            if subnet.get("SubnetStatus", "Active") == "Active"
        )
        return SubnetGroup(found["SubnetGroupStatus"], zones)

    def family(self, engine: str, version: str) -> str | None:
        """The parameter group family of an engine version (DescribeDBEngineVersions); None when it is not offered."""
        found = call(self._client.describe_db_engine_versions, Engine=engine, EngineVersion=version)
        return str(found["DBEngineVersions"][0]["DBParameterGroupFamily"]) if found["DBEngineVersions"] else None

    def cluster_group_family(self, name: str) -> str:
        """DescribeDBClusterParameterGroups."""
        answer = call(self._client.describe_db_cluster_parameter_groups, DBClusterParameterGroupName=name)
        return str(answer["DBClusterParameterGroups"][0]["DBParameterGroupFamily"])

    def instance_group_family(self, name: str) -> str:
        """DescribeDBParameterGroups."""
        answer = call(self._client.describe_db_parameter_groups, DBParameterGroupName=name)
        return str(answer["DBParameterGroups"][0]["DBParameterGroupFamily"])

    def zones(self, engine: str, version: str, instance_class: str) -> frozenset[str] | None:
        """Where a class is offered for an engine version (DescribeOrderableDBInstanceOptions); None when it is not."""
        wanted = {"Engine": engine, "EngineVersion": version, "DBInstanceClass": instance_class, "Vpc": True}
        options: list[dict[str, Any]] = []
        while True:
            page = call(self._client.describe_orderable_db_instance_options, **wanted)
            options += page["OrderableDBInstanceOptions"]
            if not page.get("Marker"):
                break
            wanted["Marker"] = page["Marker"]
        names = frozenset(zone["Name"] for option in options for zone in option.get("AvailabilityZones", []))
        return names if options else None

"""Clients that answer what RDS offers and how keys are: plenty of room and all enabled, until a test says otherwise."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"fake {code}"}}, "Describe")


class FakeOffers:
    """Quotas, subnet groups and parameter groups by name; `denied` names methods that the role lacks."""

    def __init__(self) -> None:
        self.quotas = {"DBClusters": [3, 40], "DBInstances": [5, 40], "ManualClusterSnapshots": [1, 100]}
        self.zones: dict[str, list[str]] = {"private": ["us-east-1a", "us-east-1b"]}
        self.status = "Complete"
        self.offered = True
        self.groups = {"shop-16": "aurora-postgresql16", "shop-instances-16": "aurora-postgresql16"}
        self.denied: set[str] = set()

    def describe_account_attributes(self) -> dict[str, Any]:
        self._authorize("describe_account_attributes")
        found = self.quotas.items()
        return {
            "AccountQuotas": [{"AccountQuotaName": name, "Used": used, "Max": most} for name, (used, most) in found]
        }

    def describe_db_subnet_groups(self, DBSubnetGroupName: str) -> dict[str, Any]:
        self._authorize("describe_db_subnet_groups")
        if DBSubnetGroupName not in self.zones:
            raise refusal("DBSubnetGroupNotFoundFault")
        subnets = [
            {"SubnetAvailabilityZone": {"Name": zone}, "SubnetStatus": "Active"}
            for zone in self.zones[DBSubnetGroupName]
        ]
        return {"DBSubnetGroups": [{"SubnetGroupStatus": self.status, "Subnets": subnets}]}

    def describe_db_engine_versions(self, Engine: str, EngineVersion: str) -> dict[str, Any]:
        self._authorize("describe_db_engine_versions")
        family = f"{Engine}{EngineVersion.split('.')[0]}" if Engine == "aurora-postgresql" else f"{Engine}8.0"
        return {"DBEngineVersions": [{"DBParameterGroupFamily": family}] if self.offered else []}

    def describe_db_cluster_parameter_groups(self, DBClusterParameterGroupName: str) -> dict[str, Any]:
        return {"DBClusterParameterGroups": [self._group(DBClusterParameterGroupName)]}

    def describe_db_parameter_groups(self, DBParameterGroupName: str) -> dict[str, Any]:
        return {"DBParameterGroups": [self._group(DBParameterGroupName)]}

    def _group(self, name: str) -> dict[str, str]:
        if name not in self.groups:
            raise refusal("DBParameterGroupNotFound")
        return {"DBParameterGroupFamily": self.groups[name]}

    def _authorize(self, method: str) -> None:
        if method in self.denied:
            raise refusal("AccessDenied")


class FakeKeys:
    """KMS: every key is enabled but those in `states`; None is a key that does not exist."""

    def __init__(self) -> None:
        self.states: dict[str, str | None] = {}
        self.aliases: dict[str, str] = {}
        self.asked: list[str] = []

    def describe_key(self, KeyId: str) -> dict[str, Any]:
        self.asked.append(KeyId)
        state = self.states.get(KeyId, "Enabled")
        if state is None:
            raise refusal("NotFoundException")
        if state == "AccessDenied":
            raise refusal("AccessDeniedException")
        return {"KeyMetadata": {"Arn": self.aliases.get(KeyId, KeyId), "KeyState": state}}

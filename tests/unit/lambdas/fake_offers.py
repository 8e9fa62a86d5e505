"""Clients that answer what RDS offers and how keys are: plenty of room and all enabled, until a test says otherwise."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from tests.unit.lambdas.fake_rds import ACCOUNT

OPEN_POLICY = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    ]
}


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
        self.class_zones: dict[str, list[str] | None] = {}
        self.denied: set[str] = set()

    def describe_orderable_db_instance_options(
        self, Engine: str, EngineVersion: str, DBInstanceClass: str, Vpc: bool, Marker: str = ""
    ) -> dict[str, Any]:
        """One zone a page; None is a class that is not offered."""
        self._authorize("describe_orderable_db_instance_options")
        assert (bool(Engine), bool(EngineVersion), Vpc) == (True, True, True)
        zones = self.class_zones.get(DBInstanceClass, ["us-east-1a", "us-east-1b", "us-east-1c"])
        if zones is None:
            return {"OrderableDBInstanceOptions": []}
        number = int(Marker or 0)
        more = {"Marker": str(number + 1)} if number + 1 < len(zones) else {}
        option = {"AvailabilityZones": [{"Name": zone} for zone in zones[number : number + 1]]}
        return {"OrderableDBInstanceOptions": [option], **more}

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
    """KMS: every key is enabled but those in `states`; None is a key that does not exist.

    Every policy leaves access to IAM but those in `policies`, where a text is the code of a refusal. `grants` are
    operations by key and grantee; None refuses to list them.
    """

    def __init__(self) -> None:
        self.states: dict[str, str | None] = {}
        self.aliases: dict[str, str] = {}
        self.policies: dict[str, dict[str, Any] | str] = {}
        self.grants: dict[tuple[str, str], list[str]] | None = {}
        self.asked: list[str] = []

    def describe_key(self, KeyId: str) -> dict[str, Any]:
        self.asked.append(KeyId)
        state = self.states.get(KeyId, "Enabled")
        if state is None:
            raise refusal("NotFoundException")
        if state == "AccessDenied":
            raise refusal("AccessDeniedException")
        arn = self.aliases.get(KeyId, KeyId.replace(":alias/", ":key/of-"))
        manager = "AWS" if ":key/of-aws/" in arn else "CUSTOMER"
        return {"KeyMetadata": {"Arn": arn, "KeyState": state, "KeyManager": manager}}

    def get_key_policy(self, KeyId: str, PolicyName: str) -> dict[str, Any]:
        assert (KeyId.count(":key/"), PolicyName) == (1, "default")
        policy = self.policies.get(KeyId, OPEN_POLICY)
        if isinstance(policy, str):
            raise refusal(policy)
        return {"Policy": json.dumps(policy)}

    def list_grants(self, KeyId: str, GranteePrincipal: str, Marker: str = "") -> dict[str, Any]:
        """One grant a page."""
        if self.grants is None:
            raise refusal("AccessDeniedException")
        operations = self.grants.get((KeyId, GranteePrincipal), [])
        number = int(Marker or 0)
        more = {"NextMarker": str(number + 1)} if number + 1 < len(operations) else {}
        return {"Grants": [{"Operations": [name]} for name in operations[number : number + 1]], **more}

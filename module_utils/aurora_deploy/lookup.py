"""Resolving by convention what only AWS knows: the key's ARN, and the ids of the VPC, its subnets and groups."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from aurora_deploy import keys
from aurora_deploy.clients import Aws
from aurora_deploy.diff import UNKNOWN
from aurora_deploy.errors import AWS_ERRORS, DeployError, explain
from aurora_deploy.tags import tag_map

KEY, GROUP, VPC, SUBNETS = "KMS key {}", "security group {}", "VPC {}", "private subnet of {}"
"""What is looked for, as messages and the tasks that know the answer call it."""

_EC2_READS = {
    GROUP: ("describe_security_groups", "SecurityGroups", "GroupId"),
    VPC: ("describe_vpcs", "Vpcs", "VpcId"),
}


class Lookup:
    """Each answer is fetched once per task, and not at all if it is among the `known` that an earlier task gave.

    What does not exist is `UNKNOWN` where `lenient` (check mode and removal: an earlier task would have made it, or it
    is already gone), and otherwise a DeployError that names the tag which makes it.
    """

    def __init__(self, aws: Aws, known: Mapping[str, Any] | None = None, *, lenient: bool) -> None:
        self._aws = aws
        self._lenient = lenient
        self._known: dict[str, Any] = dict(known or {})
        self._lock = threading.Lock()

    def key_arn(self, key: str) -> str:
        """Return the ARN of the customer key with this alias (`alias/...`), id or ARN (KMS DescribeKey).

        In check mode a key that lost its alias is found as the kms role will find it.
        """
        return str(self._resolve(KEY.format(key), lambda: self._find_key(key), "kms"))

    def security_group_id(self, name: str) -> str:
        """Return the id of the security group with this Name tag (EC2 DescribeSecurityGroups)."""
        return self._tagged(GROUP, name)

    def vpc_id(self, name: str) -> str:
        """Return the id of the VPC with this Name tag (EC2 DescribeVpcs)."""
        return self._tagged(VPC, name)

    def private_subnet_ids(self, prefix: str) -> list[str]:
        """Return the ids of the private subnets of a deployment (EC2 DescribeSubnets)."""
        found = self._resolve(SUBNETS.format(prefix), lambda: self._find_subnets(prefix), "vpc")
        return [UNKNOWN] if found == UNKNOWN else list(found)

    def _tagged(self, kind: str, name: str) -> str:
        return str(self._resolve(kind.format(name), lambda: self._find_tagged(kind, name), "vpc"))

    def _resolve(self, what: str, fetch: Callable[[], Any], tag: str) -> Any:
        with self._lock:
            if what not in self._known:
                try:
                    self._known[what] = fetch()
                except AWS_ERRORS as error:
                    raise DeployError(explain(error, what)) from error
            value = self._known[what]
        if value is not None:
            return value
        if self._lenient:
            return UNKNOWN
        raise DeployError(f"there is no {what}. Fix: run the deployment with --tags {tag} first")

    def _find_key(self, key: str) -> str | None:
        found = keys.describe(self._aws, key)
        if found is None and self._lenient and key.startswith("alias/"):
            found = keys.find_by_tags(self._aws, key)
        return str(found["Arn"]) if found else None

    def _find_subnets(self, prefix: str) -> list[str] | None:
        filters = [{"Name": "tag:Project", "Values": [prefix]}]
        subnets = self._aws.pages("ec2", "describe_subnets", "Subnets", Filters=filters)
        private = f"{prefix}-private-"
        return [
            subnet["SubnetId"] for subnet in subnets if tag_map(subnet["Tags"]).get("Name", "").startswith(private)
        ] or None

    def _find_tagged(self, kind: str, name: str) -> str | None:
        operation, response_key, id_key = _EC2_READS[kind]
        filters = [{"Name": "tag:Name", "Values": [name]}]
        found = [str(item[id_key]) for item in self._aws.pages("ec2", operation, response_key, Filters=filters)]
        if len(found) > 1:
            raise DeployError(
                f"{len(found)} resources carry the Name tag of {kind.format(name)}: {', '.join(sorted(found))}. "
                "Fix: remove or rename those that this deployment did not make"
            )
        return found[0] if found else None

"""Resolving by convention what only AWS knows: the key's ARN and the ids of the VPC and its security groups."""

from __future__ import annotations

import threading
from collections.abc import Callable

from aurora_deploy import keys
from aurora_deploy.clients import Aws
from aurora_deploy.diff import UNKNOWN
from aurora_deploy.errors import AWS_ERRORS, DeployError, explain

_EC2_READS = {
    "security group": ("describe_security_groups", "SecurityGroups", "GroupId"),
    "VPC": ("describe_vpcs", "Vpcs", "VpcId"),
}


class Lookup:
    """Each answer is fetched once per task.

    What does not exist is `UNKNOWN` where `lenient` (check mode and removal: an earlier task would have made it, or it
    is already gone), and otherwise a DeployError that names the tag which makes it.
    """

    def __init__(self, aws: Aws, *, lenient: bool) -> None:
        self._aws = aws
        self._lenient = lenient
        self._known: dict[str, str | None] = {}
        self._lock = threading.Lock()

    def key_arn(self, key: str) -> str:
        """Return the ARN of the customer key with this alias (`alias/...`), id or ARN (KMS DescribeKey).

        In check mode a key that lost its alias is found as the kms role will find it.
        """
        return self._resolve(f"KMS key {key}", lambda: self._find_key(key), "kms")

    def security_group_id(self, name: str) -> str:
        """Return the id of the security group with this Name tag (EC2 DescribeSecurityGroups)."""
        return self._tagged("security group", name)

    def vpc_id(self, name: str) -> str:
        """Return the id of the VPC with this Name tag (EC2 DescribeVpcs)."""
        return self._tagged("VPC", name)

    def _tagged(self, what: str, name: str) -> str:
        return self._resolve(f"{what} {name}", lambda: self._find_tagged(what, name), "vpc")

    def _resolve(self, what: str, fetch: Callable[[], str | None], tag: str) -> str:
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
        raise DeployError(f"the {what} does not exist. Fix: run the deployment with --tags {tag} first")

    def _find_key(self, key: str) -> str | None:
        found = keys.describe(self._aws, key)
        if found is None and self._lenient and key.startswith("alias/"):
            found = keys.find_by_tags(self._aws, key)
        return str(found["Arn"]) if found else None

    def _find_tagged(self, what: str, name: str) -> str | None:
        operation, response_key, id_key = _EC2_READS[what]
        filters = [{"Name": "tag:Name", "Values": [name]}]
        found = [str(item[id_key]) for item in self._aws.pages("ec2", operation, response_key, Filters=filters)]
        if len(found) > 1:
            raise DeployError(
                f"{len(found)} resources carry the Name tag of {what} {name}: {', '.join(sorted(found))}. "
                "Fix: remove or rename those that this deployment did not make"
            )
        return found[0] if found else None

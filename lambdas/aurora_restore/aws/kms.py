"""The state of KMS keys, their policies, and the grants on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aurora_restore.aws.calls import call


@dataclass(frozen=True)
class Key:
    """KeyMetadata, as far as RDS cares: it encrypts with symmetric keys that are enabled."""

    arn: str
    state: str
    spec: str
    usage: str
    managed_by_aws: bool

    @property
    def usable(self) -> bool:
        return (self.state, self.spec, self.usage) == ("Enabled", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")


class Keys:
    """AWS KMS in one region, read only."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def key(self, name: str) -> Key:
        """By id, ARN or alias (DescribeKey). Raises ResourceMissing, AccessDenied."""
        found = call(self._client.describe_key, KeyId=name)["KeyMetadata"]
        return Key(
            found["Arn"],
            found["KeyState"],
            found.get("KeySpec", "SYMMETRIC_DEFAULT"),
            found.get("KeyUsage", "ENCRYPT_DECRYPT"),
            found.get("KeyManager") == "AWS",
        )

    def policy(self, arn: str) -> dict[str, Any]:
        """The policy document of a key of the own account (GetKeyPolicy). Raises ResourceMissing, AccessDenied."""
        answer = call(self._client.get_key_policy, KeyId=arn, PolicyName="default")  # its one possible name
        document: dict[str, Any] = json.loads(answer["Policy"])
        return document

    def granted(self, arn: str, principal: str) -> frozenset[str]:
        """The operations that grants on a key allow a principal (ListGrants). Raises ResourceMissing, AccessDenied."""
        operations: set[str] = set()
        arguments = {"KeyId": arn, "GranteePrincipal": principal}
        while True:
            page = call(self._client.list_grants, **arguments)
            operations.update(name for grant in page["Grants"] for name in grant["Operations"])
            if not page.get("NextMarker"):
                return frozenset(operations)
            arguments["Marker"] = page["NextMarker"]

"""The state of KMS keys."""

from __future__ import annotations

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
        )

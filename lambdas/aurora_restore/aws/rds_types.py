"""Clusters, instances and snapshots as the steps see them: what DescribeDB* says, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aurora_restore.clock import iso

Tags = dict[str, str]
ADVANCED = "advanced"  # a DatabaseInsightsMode
FIFTEEN_MONTHS = 465  # days; API reference, DatabaseInsightsMode: what the advanced mode keeps
FORWARDING = ("enabled", "enabling", "requested")  # of a LocalWriteForwardingStatus: it is on, or will be


@dataclass(frozen=True)
class Member:
    """An instance's place in its cluster."""

    instance_id: str
    writer: bool
    promotion_tier: int


@dataclass(frozen=True)
class Cluster:
    """DescribeDBClusters. `raw` is the whole answer, for what is mirrored and not reasoned about."""

    cluster_id: str
    resource_id: str
    arn: str
    status: str
    engine: str
    engine_version: str
    endpoint: str
    port: int
    master_username: str
    members: tuple[Member, ...]
    tags: Tags
    deletion_protection: bool
    encrypted: bool
    kms_key_id: str | None
    percent: int | None
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def managed_secret(self) -> str | None:
        """ARN of the secret in which RDS keeps the master password (MasterUserSecret), once it can be used."""
        secret = self.raw.get("MasterUserSecret") or {}
        return str(secret["SecretArn"]) if secret.get("SecretStatus") in ("active", "rotating") else None

    @classmethod
    def from_api(cls, raw: Mapping[str, Any]) -> Cluster:
        return cls(
            cluster_id=raw["DBClusterIdentifier"],
            resource_id=raw["DbClusterResourceId"],
            arn=raw["DBClusterArn"],
            status=raw["Status"],
            engine=raw["Engine"],
            engine_version=raw["EngineVersion"],
            endpoint=raw.get("Endpoint", ""),
            port=int(raw["Port"]),
            master_username=raw.get("MasterUsername", ""),
            members=tuple(
                Member(item["DBInstanceIdentifier"], bool(item["IsClusterWriter"]), int(item.get("PromotionTier", 1)))
                for item in raw.get("DBClusterMembers", [])
            ),
            tags=tags_from_api(raw.get("TagList")),
            deletion_protection=bool(raw.get("DeletionProtection")),
            encrypted=bool(raw.get("StorageEncrypted")),
            kms_key_id=raw.get("KmsKeyId"),
            percent=percent(raw.get("PercentProgress")),
            raw=raw,
        )


@dataclass(frozen=True)
class Instance:
    """DescribeDBInstances."""

    instance_id: str
    resource_id: str
    arn: str
    cluster_id: str
    status: str
    instance_class: str
    tags: Tags
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_api(cls, raw: Mapping[str, Any]) -> Instance:
        return cls(
            instance_id=raw["DBInstanceIdentifier"],
            resource_id=raw["DbiResourceId"],
            arn=raw["DBInstanceArn"],
            cluster_id=raw.get("DBClusterIdentifier", ""),
            status=raw.get("DBInstanceStatus", ""),
            instance_class=raw["DBInstanceClass"],
            tags=tags_from_api(raw.get("TagList")),
            raw=raw,
        )


@dataclass(frozen=True)
class Snapshot:
    """DescribeDBClusterSnapshots. `created` is None until AWS has a creation time, `copied_from` except for copies."""

    snapshot_id: str
    arn: str
    cluster_id: str
    cluster_resource_id: str | None
    type: str
    status: str
    engine: str
    engine_version: str
    encrypted: bool
    kms_key_id: str | None
    created: datetime | None
    percent: int | None
    copied_from: str | None
    tags: Tags

    @property
    def created_text(self) -> str | None:
        return iso(self.created) if self.created else None

    @classmethod
    def from_api(cls, raw: Mapping[str, Any]) -> Snapshot:
        return cls(
            snapshot_id=raw["DBClusterSnapshotIdentifier"],
            arn=raw["DBClusterSnapshotArn"],
            cluster_id=raw.get("DBClusterIdentifier", ""),
            cluster_resource_id=raw.get("DbClusterResourceId"),
            type=raw.get("SnapshotType", "manual"),
            status=raw["Status"],
            engine=raw["Engine"],
            engine_version=raw["EngineVersion"],
            encrypted=bool(raw.get("StorageEncrypted")),
            kms_key_id=raw.get("KmsKeyId"),
            created=raw.get("SnapshotCreateTime"),
            percent=percent(raw.get("PercentProgress")),
            copied_from=raw.get("SourceDBClusterSnapshotArn"),
            tags=tags_from_api(raw.get("TagList")),
        )


def percent(value: Any) -> int | None:
    """PercentProgress is an integer of a snapshot and a text of a cluster ("42", "42%"), or absent."""
    digits = str(value if value is not None else "").strip().removesuffix("%").split(".")[0]
    return int(digits) if digits.isdigit() else None


def tags_from_api(tags: list[dict[str, str]] | None) -> Tags:
    return {tag["Key"]: tag.get("Value", "") for tag in tags or []}


def tags_to_api(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def own_tags(tags: Mapping[str, str]) -> Tags:
    """Without AWS's own (`aws:`), which no call accepts."""
    return {key: value for key, value in tags.items() if not key.lower().startswith("aws:")}

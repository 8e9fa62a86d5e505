"""ARNs of snapshots and keys, taken apart and put together. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

SNAPSHOT = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):rds:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):cluster-snapshot:(?P<name>\S+)"
)
AUTOMATED = "rds:"  # begins the name of every automated snapshot
AWS_MANAGED_KEY = "alias/aws/rds"  # RDS's own key, which every account has in every region


@dataclass(frozen=True)
class SnapshotArn:
    """`arn:<partition>:rds:<region>:<account>:cluster-snapshot:<name>`."""

    partition: str
    region: str
    account: str
    name: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:rds:{self.region}:{self.account}:cluster-snapshot:{self.name}"


def snapshot_arn(text: str) -> SnapshotArn | None:
    """The parts of a cluster snapshot's ARN; None for anything else."""
    found = SNAPSHOT.fullmatch(text)
    return SnapshotArn(**found.groupdict()) if found else None


def key_arn(key: str, region: str, account: str, partition: str = "aws") -> str:
    """A key's id, alias or ARN as an ARN. CopyDBClusterSnapshot knows an id in the caller's account and region only."""
    if key.startswith("arn:"):
        return key
    return f"arn:{partition}:kms:{region}:{account}:{key if key.startswith('alias/') else f'key/{key}'}"


def partition_of(arn: str) -> str:
    """`aws`, `aws-cn`, `aws-us-gov`."""
    return arn.split(":")[1]


def region_of(arn: str) -> str:
    return arn.split(":")[3]


def account_of(arn: str) -> str:
    return arn.split(":")[4]

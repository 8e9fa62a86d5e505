"""The copies between a snapshot and its restore. Pure: what is known goes in, a list of hops comes out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from aurora_restore import identifiers
from aurora_restore.arns import AWS_MANAGED_KEY, SnapshotArn, key_arn


@dataclass(frozen=True)
class Origin:
    """The snapshot that was chosen: where and whose it is, and its key's ARN where it is encrypted."""

    arn: SnapshotArn
    encrypted: bool
    kms_key_arn: str | None


@dataclass(frozen=True)
class Destination:
    """Where the restore happens; `kms_key_arn` is the new cluster's key, `hop_kms_key` the request's for the way."""

    region: str
    account: str
    kms_key_arn: str | None
    hop_kms_key: str | None = None


@dataclass(frozen=True)
class Hop:
    """One CopyDBClusterSnapshot, called in `region`; without a key the copy of an unencrypted snapshot."""

    region: str
    source_region: str
    source_arn: str
    snapshot_id: str
    kms_key_arn: str | None
    reason: str


def plan_hops(origin: Origin, destination: Destination, target: str, operation_id: str) -> list[Hop]:
    """The hops in their order; none where the snapshot can be restored as it is.

    RDS restores in the snapshot's region only, gives an encrypted snapshot another key by a copy only, restores no
    encrypted snapshot of another account, and copies one between accounts within its region only (AUG, "Copying a DB
    cluster snapshot across accounts"): so another account in another region takes two hops. An unencrypted snapshot
    needs no copy for a key: RestoreDBClusterFromSnapshot encrypts it with KmsKeyId.
    """
    at, hops = origin.arn, []
    foreign, remote = at.account != destination.account, at.region != destination.region
    if foreign and (remote or origin.encrypted):
        hop = _into_the_account(origin, destination, target, operation_id, remote)
        at = SnapshotArn(at.partition, hop.region, destination.account, hop.snapshot_id)
        hops.append(hop)
    rekeyed = origin.encrypted and origin.kms_key_arn != destination.kms_key_arn
    if remote or (rekeyed and not hops):
        reason = (
            f"a restore in {destination.region} needs a snapshot there"
            if remote
            else f"the snapshot is encrypted with {origin.kms_key_arn}, the new cluster must be with another key"
        )
        name = identifiers.snapshot_copy(target, operation_id)
        key = destination.kms_key_arn if origin.encrypted else None
        hops.append(Hop(destination.region, at.region, str(at), name, key, reason))
    return hops


def _into_the_account(origin: Origin, destination: Destination, target: str, operation_id: str, remote: bool) -> Hop:
    """Between accounts, within the region; the last hop already if the region is the target's."""
    at = origin.arn
    name = identifiers.snapshot_copy(target, operation_id)
    key = destination.kms_key_arn
    if remote:
        name = identifiers.snapshot_hop(target, operation_id)
        key = key_arn(destination.hop_kms_key or AWS_MANAGED_KEY, at.region, destination.account, at.partition)
    why = "copies cross accounts within a region only" if remote else "an encrypted one is restored from a copy only"
    reason = f"account {at.account} shares the snapshot, and {why}"
    return Hop(at.region, at.region, str(at), name, key if origin.encrypted else None, reason)


def plan_copy(hops: list[Hop]) -> dict[str, Any]:
    """`plan.copy`."""
    reasons = "; ".join(hop.reason for hop in hops)
    return {
        "needed": bool(hops),
        "reason": reasons or "it can be restored as it is",
        "hops": [asdict(hop) for hop in hops],
    }

"""What the target has and its successor will not: told in the plan, because nobody would look for it afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from aurora_restore.aws.rds_types import Cluster
from aurora_restore.planning.surroundings import PASSED, WARNING, Finding

_STREAMING = ("starting", "started")


def survey(target: Cluster) -> list[Finding]:
    """One finding of `plan.preflight`: a warning that names each, and what to do about them."""
    lost = list(_lost(target))
    if not lost:
        return [{"name": "carried over", "result": PASSED, "detail": "the target has nothing that is not mirrored"}]
    text = f"not mirrored, to be set again after the swap: {'; '.join(lost)}"
    return [{"name": "carried over", "result": WARNING, "detail": text}]


def _lost(target: Cluster) -> Iterator[str]:
    raw = target.raw
    for role in raw.get("AssociatedRoles") or []:
        yield f"IAM role {role.get('RoleArn')} ({role.get('FeatureName') or 'no feature'})"
    for endpoint in raw.get("CustomEndpoints") or []:
        yield f"custom endpoint {endpoint}"
    for domain in raw.get("DomainMemberships") or []:
        yield f"directory domain {domain.get('Domain')}"
    if raw.get("ActivityStreamStatus") in _STREAMING:
        yield f"activity stream {raw.get('ActivityStreamKinesisStreamName')}"
    if raw.get("ReplicationSourceIdentifier"):
        yield f"replication from {raw['ReplicationSourceIdentifier']}"

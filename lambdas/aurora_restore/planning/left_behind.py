"""What a swap does not move: it belongs to the target by its resource id, and so stays with the old cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aurora_restore.aws.rds_types import Cluster
from aurora_restore.context import Context

STREAMING = ("started", "starting")  # DBCluster, ActivityStreamStatus


def told(context: Context, plan: Mapping[str, Any]) -> list[str]:
    """In words, for the plan; empty where nothing stays behind or no names change hands."""
    if not plan["swap"]["needed"]:
        return []
    target = context.rds.find_cluster(plan["target"]["cluster"])
    return list(_told(target, plan["restore"])) if target else []


def _told(target: Cluster, restore: Mapping[str, Any]) -> Iterator[str]:
    raw = target.raw
    if endpoints := raw.get("CustomEndpoints"):
        yield f"custom endpoints go on leading to the old cluster: {', '.join(endpoints)}"
    if restore["iam_authentication"]:
        yield f"IAM policies for logins (rds-db:connect) name {target.resource_id}; the new cluster has another id"
    for role in raw.get("AssociatedRoles") or []:
        feature = role.get("FeatureName") or "no feature"
        yield f"the IAM role {role.get('RoleArn')} ({feature}) is to be associated with the new cluster"
    for domain in raw.get("DomainMemberships") or []:
        yield f"the new cluster is to join the directory domain {domain.get('Domain')}"
    if raw.get("ActivityStreamStatus") in STREAMING:
        yield "the activity stream stays with the old cluster"
    if raw.get("MasterUserSecret"):
        yield "the secret in which RDS keeps the target's master password stays with the old cluster"
    if replicas := raw.get("ReadReplicaIdentifiers"):
        yield f"read replicas go on following the old cluster: {', '.join(replicas)}"
    if source := raw.get("ReplicationSourceIdentifier"):
        yield f"the target replicates from {source}; the new cluster does not"

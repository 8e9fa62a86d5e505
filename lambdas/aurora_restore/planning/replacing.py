"""The strategy `replace`: the target goes before the restore, for those who cannot pay for two clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore import identifiers
from aurora_restore.aws.rds_types import Cluster
from aurora_restore.context import Context
from aurora_restore.errors import IncompatibleEngine, NameTaken

STRATEGY = "replace"
NOT_MADE_AGAIN = {  # of DescribeDBClusters: what the way back does not give the target again
    "ActivityStreamKinesisStreamName": "its activity stream",
    "AssociatedRoles": "its associated IAM roles",
    "CustomEndpoints": "its custom endpoints",
    "ReadReplicaIdentifiers": "replication from it",
    "ReplicationSourceIdentifier": "replication to it",
}


def plan_replace(strategy: str, target: Cluster, operation_id: str, way_back_seconds: int) -> dict[str, Any]:
    """`plan.replace`: the name of the final snapshot, and what making the target again would take."""
    if strategy != STRATEGY:
        return {"needed": False}
    return {
        "needed": True,
        "final_snapshot": identifiers.target_final_snapshot(target.cluster_id, operation_id),
        "engine": target.engine,
        "engine_version": target.engine_version,
        "kms_key_id": target.kms_key_id,
        "lost": [words for key, words in NOT_MADE_AGAIN.items() if target.raw.get(key)],
        "way_back_seconds": way_back_seconds,
    }


def require_way_back(context: Context, plan: Mapping[str, Any]) -> str:
    """The target could be made again from its final snapshot, whose name is free; returns what would be lost.

    A snapshot of that name is refused even if an earlier attempt of this operation made it: the target is newer.
    """
    replace = plan["replace"]
    engine, version, name = replace["engine"], replace["engine_version"], replace["final_snapshot"]
    if context.offers.family(engine, version) is None:
        raise IncompatibleEngine(
            f"{context.settings.region} no longer offers {engine} {version}: the target could not be brought back.",
            remedy="Upgrade the target first, or use strategy swap.",
        )
    if context.rds.find_snapshot(name):
        raise NameTaken(f"Snapshot {name} exists.", remedy="Keep it, and start a new operation under another id.")
    return ", ".join(replace["lost"])

"""FinishRollback: the old cluster is the target again, the restored one stands beside it for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.aws.rds_types import Cluster, Instance
from aurora_restore.context import Context
from aurora_restore.steps.keeping import require_cluster, set_aside
from aurora_restore.steps.progress import require_lock
from aurora_restore.store import Status


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Take the marks of a replaced cluster off the target, put them on the restored one, close the restore's record."""
    plan = document["plan"]
    require_lock(context, plan)
    settings, swap = context.settings, plan["swap"]
    target = require_cluster(context, plan["target"]["cluster"], plan["target"]["cluster_resource_id"])
    things: list[Cluster | Instance] = [*context.rds.cluster_instances(target.cluster_id), target]
    for thing in things:
        marks = [key for key in (settings.expires_tag, settings.replaced_tag) if key in thing.tags]
        if marks:
            context.rds.remove_tags(thing.arn, marks)
    expires_at = set_aside(context, plan, swap["old_cluster_id"], swap["old_cluster_resource_id"])
    context.store.set_status(plan["rolls_back"], Status.ROLLED_BACK)
    return {"old_cluster_id": swap["old_cluster_id"], "expires_at": expires_at, "copy": "none"}

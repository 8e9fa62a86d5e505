"""What marks a cluster that a swap put aside: who did it, and until when it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aurora_restore.aws.rds_types import Cluster
from aurora_restore.clock import iso
from aurora_restore.context import Context
from aurora_restore.errors import ResourceMissing


def require_cluster(context: Context, name: str, resource_id: str) -> Cluster:
    """The cluster of this name, which must be the one of this resource id. Raises ResourceMissing otherwise."""
    cluster = context.rds.find_cluster(name)
    if cluster is None or cluster.resource_id != resource_id:
        raise ResourceMissing(f"Cluster {name} is not the one it should be ({resource_id}).")
    return cluster


def keep_for_a_while(
    context: Context, plan: Mapping[str, Any], cluster: Cluster, hours: int, *, marks: Mapping[str, str]
) -> str:
    """Give `cluster` the tag that says until when it is kept, and `marks`; returns that moment.

    A retry must not push it back: an expiry that this operation gave stays.
    """
    settings = context.settings
    given = cluster.tags.get(settings.expires_tag)
    if given and all(cluster.tags.get(key) == value for key, value in marks.items()):
        return given
    expires_at = iso(context.clock.now() + timedelta(hours=hours))
    context.rds.add_tags(cluster.arn, {**marks, settings.expires_tag: expires_at})
    context.logger.info("kept", extra={"cluster": cluster.cluster_id, "until": expires_at, "by": plan["operation_id"]})
    return expires_at


def set_aside(context: Context, plan: Mapping[str, Any], name: str, resource_id: str) -> str:
    """Mark the cluster that this operation's swap put aside, and its instances; returns until when it is kept."""
    cluster = require_cluster(context, name, resource_id)
    marks = {context.settings.replaced_tag: plan["operation_id"]}
    for instance in context.rds.cluster_instances(name):
        if instance.tags.get(context.settings.replaced_tag) != plan["operation_id"]:
            context.rds.add_tags(instance.arn, marks)
    return keep_for_a_while(context, plan, cluster, plan["retention"]["keep_old_hours"], marks=marks)

"""The guard rails: what must be true before an operation may even be planned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aurora_restore import identifiers
from aurora_restore.aws.rds_types import Cluster, Instance, own_tags
from aurora_restore.context import Context
from aurora_restore.errors import (
    AccountMismatch,
    InvalidRequest,
    NameTaken,
    NotYetSupported,
    PlanTooLarge,
    QuotaExceeded,
    TargetNotAllowed,
    TargetNotAvailable,
    TargetNotFound,
)
from aurora_restore.settings import Settings
from aurora_restore.store import resource_key

if TYPE_CHECKING:  # the schema of requests would be a fifth of the cold start of steps that only need the rest here
    from aurora_restore.request import Request

LARGEST_PLAN = 160 * 1024  # Step Functions service quotas: 256 KiB of data between states; the steps add what they made
MOST_TAGS = 50  # Amazon RDS User Guide, "Tagging Amazon RDS resources": tags a resource, without AWS's own
_SHOWN = 5  # resources named in an error; the rest is counted
SUPPORTED_ENGINES = ("aurora-postgresql", "aurora-mysql")


def require_account(settings: Settings, actual: str) -> None:
    """The credentials belong to the account that the deployment was made for."""
    if actual != settings.account_id:
        raise AccountMismatch(
            f"The function runs in account {actual}, but environment {settings.environment} is {settings.account_id}."
        )


def require_operation_id(given: str | None, execution_name: str) -> str:
    """The request's operation_id, else the execution's name if it can serve as one."""
    operation_id = given or execution_name
    if not identifiers.is_operation_id(operation_id):
        raise InvalidRequest(
            f"operation_id: absent, and the execution's name {operation_id} cannot stand in for it "
            "(6 to 24 lower-case letters, digits and single hyphens)."
        )
    return operation_id


def require_names(target: str, operation_id: str, instances: int) -> None:
    """Every name the operation will make satisfies RDS."""
    misfits = identifiers.misfits(target, operation_id, instances)
    if misfits:
        raise InvalidRequest(
            f"RDS would refuse the names {', '.join(misfits)}.",
            remedy="Give a shorter operation_id, or rename the target.",
        )


def require_time_for_approval(settings: Settings, request: Request) -> None:
    """The state machine lives long enough for the wait that the request allows."""
    hours = request.approval.expires_hours
    if request.approval.required and hours > settings.approval_max_hours:
        raise InvalidRequest(
            f"approval.expires_hours: {hours:g}, but this deployment waits at most {settings.approval_max_hours}.",
            remedy="Give it a smaller value, or raise approval_max_hours of the inventory and deploy.",
        )


def require_target(name: str, settings: Settings, clusters: Sequence[Cluster]) -> Cluster:
    """The target exists."""
    cluster = next((item for item in clusters if item.cluster_id == name), None)
    if cluster is None:
        raise TargetNotFound(f"There is no cluster {name} in {settings.region} of account {settings.account_id}.")
    return cluster


def require_opt_in(settings: Settings, cluster: Cluster) -> None:
    """The target's owner allows it to be replaced."""
    if cluster.tags.get(settings.target_tag) != "true":
        raise TargetNotAllowed(
            f"Cluster {cluster.cluster_id} does not carry the tag {settings.target_tag} = true.",
            remedy=f"If {cluster.cluster_id} may be replaced: aws rds add-tags-to-resource --resource-name "
            f"{cluster.arn} --tags Key={settings.target_tag},Value=true",
        )


def require_supported_engine(cluster: Cluster) -> None:
    """The pipeline knows the target's engine."""
    if cluster.engine not in SUPPORTED_ENGINES:
        raise NotYetSupported(
            f"Cluster {cluster.cluster_id} runs {cluster.engine}; only {', '.join(SUPPORTED_ENGINES)} is supported.",
            remedy="Restore this engine by hand, or wait for a release that supports it.",
        )


def require_no_global_database(cluster: Cluster) -> None:
    """The target can be renamed."""
    if cluster.raw.get("GlobalClusterIdentifier"):
        raise TargetNotAvailable(
            f"Cluster {cluster.cluster_id} belongs to global database {cluster.raw['GlobalClusterIdentifier']}.",
            remedy="Detach the cluster from the global database first: members cannot be renamed.",
        )


def require_rest(cluster: Cluster, instances: Sequence[Instance]) -> None:
    """The target and its instances are available; `instances` are its own."""
    busy = [f"{item.instance_id} is {item.status}" for item in instances if item.status != "available"]
    if cluster.status != "available":
        busy.insert(0, f"{cluster.cluster_id} is {cluster.status}")
    if busy or not instances:
        what = "; ".join(busy) or f"{cluster.cluster_id} has no instances"
        raise TargetNotAvailable(f"The target is not at rest: {what}.")


def own_instances(cluster: Cluster, instances: Sequence[Instance]) -> list[Instance]:
    """The cluster's instances, the writer first, then by promotion tier and name."""
    tiers = {member.instance_id: (not member.writer, member.promotion_tier) for member in cluster.members}
    own = [item for item in instances if item.cluster_id == cluster.cluster_id]
    return sorted(own, key=lambda item: _rank(item, tiers))


def require_no_other_operation(context: Context, target: str, operation_id: str) -> None:
    """Nobody else works on the target. AcquireLock decides; this tells it before anything has begun."""
    resource = resource_key(context.settings.region, target)
    lock = context.store.holder(resource)
    if lock and lock.owner != operation_id and lock.lease_until > context.now():
        raise lock.refusal(resource)


def require_free_names(
    settings: Settings, operation_id: str, clusters: Sequence[Cluster], names: Sequence[str]
) -> None:
    """No cluster holds a name the operation needs, unless the operation itself made it in an earlier attempt."""
    for cluster in clusters:
        if cluster.cluster_id in names and cluster.tags.get(settings.operation_tag) != operation_id:
            raise NameTaken(f"Cluster {cluster.cluster_id} exists and was not made by operation {operation_id}.")


def require_room(document: Mapping[str, Any], plan: Mapping[str, Any]) -> None:
    """Request and plan leave the results of the other steps their place in the execution's document."""
    size = len(json.dumps({**document, "plan": plan}, ensure_ascii=False).encode())
    if size > LARGEST_PLAN:
        raise PlanTooLarge(f"Request and plan take {size} bytes; at most {LARGEST_PLAN} fit beside the steps' results.")


def require_room_for_tags(
    settings: Settings,
    target: Cluster,
    instances: Sequence[Instance],
    restore: Mapping[str, Any],
    instance_tags: Sequence[Mapping[str, str]],
) -> None:
    """The pipeline's own tags fit on what it makes and on what it puts aside, beside those that are there."""
    later = {settings.restored_tag}  # or the expiry of a cluster beside the target: it joins before another goes
    aside = {settings.replaced_tag}
    wanted: list[tuple[str, set[str]]] = [
        (f"cluster {target.cluster_id}", {*own_tags(target.tags), *aside, settings.expires_tag}),
        *((f"instance {item.instance_id}", {*own_tags(item.tags), *aside}) for item in instances),
        (f"the new cluster, with those of {target.cluster_id}", {*restore["tags"], *later}),
        *((f"a new instance, with those of {target.cluster_id}'s", {*tags, *later}) for tags in instance_tags),
    ]
    crowded = [f"{name}: {len(tags)}" for name, tags in wanted if len(tags) > MOST_TAGS]
    if crowded:
        raise QuotaExceeded(
            f"A resource of RDS has at most {MOST_TAGS} tags; with the pipeline's own there would be more: "
            f"{'; '.join(crowded[:_SHOWN])}{f' and {len(crowded) - _SHOWN} more' if crowded[_SHOWN:] else ''}.",
            remedy=f"Remove as many tags from {target.cluster_id} and its instances (aws rds "
            "remove-tags-from-resource), then start again.",
        )


def _rank(instance: Instance, tiers: dict[str, tuple[bool, int]]) -> tuple[bool, int, str]:
    return (*tiers.get(instance.instance_id, (True, 15)), instance.instance_id)

"""The guard rails: what must be true before an operation may even be planned."""

from __future__ import annotations

from collections.abc import Sequence

from aurora_restore import identifiers
from aurora_restore.aws.rds_types import Cluster, Instance
from aurora_restore.errors import (
    AccountMismatch,
    InvalidRequest,
    NameTaken,
    NotYetSupported,
    SourceIsTarget,
    TargetNotAllowed,
    TargetNotAvailable,
    TargetNotFound,
)
from aurora_restore.request import Request
from aurora_restore.settings import Settings

SUPPORTED_ENGINES = ("aurora-postgresql",)


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


def require_other_than_source(request: Request, own_region: str, snapshot_cluster: str) -> None:
    """The cluster that the data comes from is not the one that would be replaced."""
    region = request.source.region or own_region
    if region == own_region and request.target.cluster in (request.source.cluster, snapshot_cluster):
        raise SourceIsTarget(f"{request.target.cluster} is both the source and the target.")


def require_target(
    name: str, settings: Settings, clusters: Sequence[Cluster], instances: Sequence[Instance]
) -> tuple[Cluster, list[Instance]]:
    """The target and its instances, the writer first: it exists, is opted in, supported and at rest."""
    cluster = next((item for item in clusters if item.cluster_id == name), None)
    if cluster is None:
        raise TargetNotFound(f"There is no cluster {name} in {settings.region} of account {settings.account_id}.")
    if cluster.tags.get(settings.target_tag) != "true":
        raise TargetNotAllowed(
            f"Cluster {name} does not carry the tag {settings.target_tag} = true.",
            remedy=f"If {name} may be replaced: aws rds add-tags-to-resource --resource-name {cluster.arn} "
            f"--tags Key={settings.target_tag},Value=true",
        )
    if cluster.engine not in SUPPORTED_ENGINES:
        raise NotYetSupported(
            f"Cluster {name} runs {cluster.engine}; only {', '.join(SUPPORTED_ENGINES)} is supported.",
            remedy="Restore this engine by hand, or wait for a release that supports it.",
        )
    if cluster.raw.get("GlobalClusterIdentifier"):
        raise TargetNotAvailable(
            f"Cluster {name} belongs to global database {cluster.raw['GlobalClusterIdentifier']}.",
            remedy="Detach the cluster from the global database first: members cannot be renamed.",
        )
    tiers = {member.instance_id: (not member.writer, member.promotion_tier) for member in cluster.members}
    own = sorted((item for item in instances if item.cluster_id == name), key=lambda item: _rank(item, tiers))
    busy = [f"{item.instance_id} is {item.status}" for item in own if item.status != "available"]
    if cluster.status != "available":
        busy.insert(0, f"{name} is {cluster.status}")
    if busy or not own:
        raise TargetNotAvailable(f"The target is not at rest: {'; '.join(busy) or f'{name} has no instances'}.")
    return cluster, own


def require_free_names(
    settings: Settings, operation_id: str, clusters: Sequence[Cluster], names: Sequence[str]
) -> None:
    """No cluster holds a name the operation needs, unless the operation itself made it in an earlier attempt."""
    for cluster in clusters:
        if cluster.cluster_id in names and cluster.tags.get(settings.operation_tag) != operation_id:
            raise NameTaken(f"Cluster {cluster.cluster_id} exists and was not made by operation {operation_id}.")


def _rank(instance: Instance, tiers: dict[str, tuple[bool, int]]) -> tuple[bool, int, str]:
    return (*tiers.get(instance.instance_id, (True, 15)), instance.instance_id)

"""SnapshotCheck: read-only. Validates, proves the guard rails, chooses the source, and returns the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurora_restore import document as documents
from aurora_restore import identifiers
from aurora_restore.arns import snapshot_arn
from aurora_restore.aws.rds_types import Cluster, Instance
from aurora_restore.context import Context
from aurora_restore.planning import copies, deadlines, guards, keys, mirror, replacing, sources, surroundings
from aurora_restore.planning.masking import plan_masking
from aurora_restore.planning.problems import Problems
from aurora_restore.planning.resuming import resumed_plan
from aurora_restore.request import Request, as_plain, parse
from aurora_restore.settings import Settings
from aurora_restore.store import resource_key


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """The plan of docs/architecture.md. Raises every refusal of requests and guard rails at once; changes nothing."""
    settings = context.settings
    recorded = resumed_plan(context, document)
    if recorded:
        return recorded
    request = parse(document["request"])
    operation_id = guards.require_operation_id(request.operation_id, documents.execution_name(document))
    guards.require_account(settings, context.identity.account_id())  # anything else would be told of the wrong account

    problems = Problems()
    problems.check(guards.require_time_for_approval, settings, request)
    problems.check(guards.require_no_other_operation, context, request.target.cluster, operation_id)
    clusters = context.rds.list_clusters()
    found = problems.check(_target_at_rest, context, request, operation_id, clusters, problems)
    source = problems.check(sources.choose, context, request)
    target, instances = problems.need(found)
    source = problems.need(source)
    problems.check(sources.require_fit, source, target)
    masking = problems.check(plan_masking, settings, request, target.engine)
    chosen_key = problems.check(keys.cluster_key, context, request, target, source)
    problems.raise_found()

    key, key_origin = problems.need(chosen_key)
    hops = _hops(request, settings, operation_id, source, key)
    restore, origins = mirror.mirror_cluster(settings, operation_id, target, source, key, key_origin, request.cluster)
    restore |= {**source.restore, **({"snapshot_id": hops[-1].snapshot_id} if hops else {})}
    planned, instance_origins = mirror.mirror_instances(settings, operation_id, target, instances, request.instances)
    problems.check(mirror.require_sound, settings, request.cluster, request.instances, restore, planned)
    shared_tags = mirror.share_tags(planned)
    problems.check(guards.require_room_for_tags, settings, target, instances, restore, shared_tags)
    approval = _approval(request)
    history = context.store.history(resource_key(settings.region, target.cluster_id))
    phases = {phase: deadlines.expected_seconds(history, phase) for phase in ("copy", "restore", "instances")}
    way_back = deadlines.way_back_seconds(phases)
    replace = replacing.plan_replace(request.strategy, target, operation_id, way_back)
    plan = {
        "operation_id": operation_id,
        "action": "restore",
        "dry_run": request.dry_run,
        "deadline": deadlines.deadline(
            settings,
            document["execution"]["started_at"],
            approval["expires_seconds"] if approval["required"] else 0,
            way_back_seconds=replace.get("way_back_seconds", 0),
        ),
        "source": sources.describe(request, source),
        "target": _target(context, target, instances),
        "copy": copies.plan_copy(hops),
        "restore": restore,
        "instance_tags": shared_tags,
        "instances": planned,
        "replace": replace,
        "swap": _swap(request, target, operation_id),
        "approval": approval,
        "users": [as_plain(user) for user in request.users],
        "credentials": as_plain(request.credentials),
        "jobs": as_plain(request.jobs),
        "masking": masking,
        "verify": as_plain(request.verify),
        "retention": as_plain(request.retention),
        "expected_seconds": deadlines.expected_seconds(history),
        "expected_phases": phases,
        "origins": {**origins, **instance_origins},
    }
    plan["preflight"] = surroundings.survey(context, plan, context.rds.list_instances(), problems)
    problems.check(guards.require_room, document, plan)
    problems.raise_found()
    return plan


def _target_at_rest(
    context: Context, request: Request, operation_id: str, clusters: Sequence[Cluster], problems: Problems
) -> tuple[Cluster, list[Instance]]:
    """The target and its instances, the writer first; what speaks against them goes to `problems`."""
    settings = context.settings
    target = guards.require_target(request.target.cluster, settings, clusters)
    instances = guards.own_instances(target, context.rds.list_instances())
    problems.check(guards.require_opt_in, settings, target)
    problems.check(guards.require_supported_engine, target)
    problems.check(guards.require_no_global_database, target)
    problems.check(guards.require_rest, target, instances)
    problems.check(
        guards.require_names, target.cluster_id, operation_id, max(request.instances.count or 0, len(instances))
    )
    names = [identifiers.new_cluster(target.cluster_id, operation_id)]
    if request.strategy != replacing.STRATEGY:
        names.append(identifiers.old_cluster(target.cluster_id, operation_id))
    problems.check(guards.require_free_names, settings, operation_id, clusters, names)
    return target, instances


def _hops(
    request: Request, settings: Settings, operation_id: str, source: sources.Found, key: str | None
) -> list[copies.Hop]:
    """The copies that the source needs; none for a cluster in being."""
    arn = snapshot_arn(source.snapshot.arn) if source.snapshot else None
    if arn is None:
        return []
    origin = copies.Origin(arn, source.encrypted, source.kms_key_id)
    destination = copies.Destination(settings.region, settings.account_id, key, request.source.hop_kms_key)
    return copies.plan_hops(origin, destination, request.target.cluster, operation_id)


def _swap(request: Request, target: Cluster, operation_id: str) -> dict[str, Any]:
    """Where the target was removed, the names are taken over just as in a swap, but nothing has to make room."""
    removed = request.strategy == replacing.STRATEGY
    old_cluster = None if removed else identifiers.old_cluster(target.cluster_id, operation_id)
    return {"needed": request.strategy in ("swap", replacing.STRATEGY), "old_cluster_id": old_cluster}


def _approval(request: Request) -> dict[str, Any]:
    """Step Functions takes time-outs in whole seconds from 1."""
    return {
        "required": request.approval.required,
        "expires_seconds": max(1, round(request.approval.expires_hours * 3600)),
        "forbid_self": request.approval.forbid_self,
        "requested_by": request.requested_by,
    }


def _target(context: Context, target: Cluster, instances: list[Instance]) -> dict[str, Any]:
    return {
        "cluster": target.cluster_id,
        "cluster_resource_id": target.resource_id,
        "arn": target.arn,
        "region": context.settings.region,
        "endpoint": target.endpoint,
        "instances": [{"id": item.instance_id, "resource_id": item.resource_id} for item in instances],
    }

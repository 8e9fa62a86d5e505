"""Whether AWS will let the planned operation through: keys, quotas, subnets, groups, names. Reading only.

Each look ends as a finding of the plan (`passed`, `warning`, or `skipped` with the reason) or as a problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aurora_restore import identifiers
from aurora_restore.aws.rds_types import Instance
from aurora_restore.context import Context
from aurora_restore.document import removes_target
from aurora_restore.errors import (
    AccessDenied,
    IncompatibleEngine,
    NameTaken,
    QuotaExceeded,
    RestoreError,
    RetryableAwsError,
    SubnetGroupUnfit,
)
from aurora_restore.planning import key_looks, left_behind
from aurora_restore.planning.findings import PASSED, SKIPPED, WARNING
from aurora_restore.planning.problems import Problems
from aurora_restore.planning.replacing import require_way_back

FEWEST_ZONES = 2  # AUG, "Working with a DB cluster in a VPC": a DB subnet group has subnets in at least two zones
COPIES_AT_ONCE = 5  # AUG, "Quotas and constraints": snapshot copies in progress to one destination region
SCARCE = 0.9  # of a quota: from here on the plan warns

Finding = dict[str, str]
Look = Callable[[Context, Mapping[str, Any]], tuple[str, str]]


def survey(
    context: Context, plan: Mapping[str, Any], instances: Sequence[Instance], problems: Problems
) -> list[Finding]:
    """`plan.preflight`; what speaks against the operation goes to `problems`. `instances` are all of the region."""
    looks: list[tuple[str, Look]] = [
        ("keys", key_looks.states),
        ("key policies", key_looks.policies),
        ("quotas", _quotas),
        ("copies in progress", _copies),
        ("subnets", _subnets),
        ("parameter groups", _groups),
        ("names", lambda context, plan: _names(context, plan, instances)),
        ("deletion protection", _protection),
        ("left behind", _left_behind),
    ]
    if removes_target(plan):
        looks.append(("way back", _way_back))
    return [finding for name, look in looks if (finding := _found(name, look, context, plan, problems))]


def _found(name: str, look: Look, context: Context, plan: Mapping[str, Any], problems: Problems) -> Finding | None:
    try:
        result, detail = look(context, plan)
    except RetryableAwsError:
        raise
    except AccessDenied as error:  # the restore may work all the same: this look is for the operator's sake
        result, detail = SKIPPED, error.message
    except RestoreError as error:
        problems.add(error)
        return None
    return {"name": name, "result": result, "detail": detail}


def _quotas(context: Context, plan: Mapping[str, Any]) -> tuple[str, str]:
    """Room for the new cluster, its instances, and the snapshots that land in this region.

    A target that is removed first makes room for its successor.
    """
    existing = {cluster.cluster_id for cluster in context.rds.list_clusters()}
    begun = plan["restore"]["cluster_id"] in existing
    copies = [hop for hop in plan["copy"]["hops"] if hop["region"] == context.settings.region]
    removed = removes_target(plan)
    freed = len(plan["target"]["instances"]) if removed else 0
    needs = {
        "DBClusters": 0 if begun or removed else 1,
        "DBInstances": 0 if begun else max(0, len(plan["instances"]) - freed),
        "ManualClusterSnapshots": len(copies) + removed,
    }
    quotas = context.offers.quotas()
    told, short, scarce = [], [], False
    for name, needed in needs.items():
        if name in quotas and needed:
            quota = quotas[name]
            text = f"{name}: {quota.used} of {quota.most} used, {needed} needed"
            told.append(text)
            short += [text] if quota.used + needed > quota.most else []
            scarce = scarce or quota.used + needed > SCARCE * quota.most
    if short:
        raise QuotaExceeded(f"The account's quotas leave no room: {'; '.join(short)}.")
    return (WARNING if scarce else PASSED), "; ".join(told) or "nothing is needed"


def _copies(context: Context, plan: Mapping[str, Any]) -> tuple[str, str]:
    """Copies in progress hold a place each; a sixth is waited for."""
    regions = sorted({hop["region"] for hop in plan["copy"]["hops"]})
    if not regions:
        return PASSED, "no copy is needed"
    running = {
        region: sum(snapshot.status == "copying" for snapshot in context.rds_in(region).list_snapshots())
        for region in regions
    }
    text = "; ".join(f"{count} of {COPIES_AT_ONCE} in {region}" for region, count in running.items())
    busy = any(count >= COPIES_AT_ONCE for count in running.values())
    return (WARNING, f"{text}: the copy waits for its turn") if busy else (PASSED, text)


def _subnets(context: Context, plan: Mapping[str, Any]) -> tuple[str, str]:
    name = plan["restore"]["subnet_group"]
    if not name:
        return WARNING, "the target names no subnet group: RDS takes the default one"
    group = context.offers.subnet_group(name)
    zones = ", ".join(sorted(group.zones)) or "none"
    if group.status != "Complete" or len(group.zones) < FEWEST_ZONES:
        raise SubnetGroupUnfit(f"Subnet group {name} is {group.status} and has active subnets in the zones: {zones}.")
    return PASSED, f"{name}: {zones}"


def _groups(context: Context, plan: Mapping[str, Any]) -> tuple[str, str]:
    """The parameter groups are of the family of the restored engine version."""
    engine, version = plan["restore"]["engine"], plan["restore"]["engine_version"]
    family = context.offers.family(engine, version)
    if family is None:
        raise IncompatibleEngine(
            f"{context.settings.region} no longer offers {engine} {version}.",
            remedy="Upgrade the source and take a new snapshot: RDS restores into versions that it offers.",
        )
    misfits = [f"{name} is of {found}" for name, found in _families(context, plan) if found != family]
    if misfits:
        raise IncompatibleEngine(
            f"{engine} {version} needs parameter groups of family {family}, but {'; '.join(misfits)}.",
            remedy=f"Give the target parameter groups of family {family}.",
        )
    return PASSED, f"family {family}"


def _families(context: Context, plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name = plan["restore"]["parameter_group"]
    if name:
        yield name, context.offers.cluster_group_family(name)
    for name in sorted({instance["parameter_group"] for instance in plan["instances"]} - {None}):
        yield name, context.offers.instance_group_family(name)


def _names(context: Context, plan: Mapping[str, Any], instances: Sequence[Instance]) -> tuple[str, str]:
    """The names of instances and copies are free, or the operation's own from an earlier attempt."""
    operation_id, target = plan["operation_id"], plan["target"]["cluster"]
    replaced = range(1, 1 if removes_target(plan) else len(plan["target"]["instances"]) + 1)
    wanted = [instance["id"] for instance in plan["instances"]]
    wanted += [identifiers.old_instance(target, operation_id, number) for number in replaced]
    tag = context.settings.operation_tag
    taken = [
        f"instance {item.instance_id}"
        for item in instances
        if item.instance_id in wanted and item.tags.get(tag) != operation_id
    ]
    hops = plan["copy"]["hops"]
    for hop in hops:
        copy = context.rds_in(hop["region"]).find_snapshot(hop["snapshot_id"])
        if copy is not None and copy.tags.get(tag) != operation_id:
            taken.append(f"snapshot {copy.snapshot_id} in {hop['region']}")
    if taken:
        raise NameTaken(f"Not made by operation {operation_id}: {', '.join(taken)}.")
    clusters = 1 if removes_target(plan) else 2
    return PASSED, f"{len(wanted) + len(hops) + clusters} names are free"


def _protection(context: Context, plan: Mapping[str, Any]) -> tuple[str, str]:
    """A swap renames and deletes nothing, so that the target's protection is no obstacle."""
    on = plan["restore"]["deletion_protection"]
    if removes_target(plan):
        return PASSED, "it is switched off right before the target is removed"
    return PASSED, "on; the old cluster keeps it, the new one gets it at the end" if on else "off"


def _left_behind(context: Context, plan: Mapping[str, Any]) -> tuple[str, str]:
    """Applications that reach the target by more than its name must be told."""
    told = left_behind.told(context, plan)
    return (WARNING, "; ".join(told)) if told else (PASSED, "nothing but the old cluster itself")


def _way_back(context: Context, plan: Mapping[str, Any]) -> tuple[str, str]:
    """Should anything fail after the target was removed."""
    lost = require_way_back(context, plan)
    made_again = f"the target can be made again from {plan['replace']['final_snapshot']}"
    return (WARNING, f"{made_again}, but not {lost}") if lost else (PASSED, made_again)

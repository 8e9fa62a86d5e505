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
SNAPSHOTS = "ManualClusterSnapshots"
SCARCE = 0.9  # of a quota: from here on the plan warns

Finding = dict[str, str]
Look = Callable[[Context, Mapping[str, Any]], tuple[str, str]]


def survey(
    context: Context, plan: Mapping[str, Any], instances: Sequence[Instance], problems: Problems
) -> list[Finding]:
    """`plan.preflight`; what speaks against the operation goes to `problems`. `instances` are all of the region."""
    looks: list[tuple[str, Look]] = [
        ("running operations", _operations),
        ("keys", key_looks.states),
        ("key policies", key_looks.policies),
        ("quotas", _quotas),
        ("copies in progress", _copies),
        ("subnets", _subnets),
        ("instance classes", _classes),
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


def _operations(_context: Context, plan: Mapping[str, Any]) -> tuple[str, str]:
    """The guard rails have proved it before anything was planned: this tells it."""
    return PASSED, f"none on {plan['target']['cluster']}, which is available with all of its instances"


def _quotas(context: Context, plan: Mapping[str, Any]) -> tuple[str, str]:
    """Room for the new cluster, its instances, and the snapshots, in the region of each."""
    told, short, scarce = [], [], False
    for region, needs in _needs(context, plan).items():
        quotas, place = context.offers_in(region).quotas(), "" if region == context.settings.region else f" in {region}"
        for name, needed in needs.items():
            if name in quotas and needed:
                quota = quotas[name]
                text = f"{name}{place}: {quota.used} of {quota.most} used, {needed} needed"
                told.append(text)
                short += [text] if quota.used + needed > quota.most else []
                scarce = scarce or quota.used + needed > SCARCE * quota.most
    if short:
        raise QuotaExceeded(f"The account's quotas leave no room: {'; '.join(short)}.")
    return (WARNING if scarce else PASSED), "; ".join(told) or "nothing is needed"


def _needs(context: Context, plan: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """By region and AccountQuotaName. What an earlier attempt of the operation has made is counted by RDS already.

    A target that is removed first makes room for its successor, and leaves a snapshot.
    """
    existing = {cluster.cluster_id for cluster in context.rds.list_clusters()}
    begun = plan["restore"]["cluster_id"] in existing
    removed = removes_target(plan)
    freed = len(plan["target"]["instances"]) if removed else 0
    here = {
        "DBClusters": 0 if begun or removed else 1,
        "DBInstances": 0 if begun else max(0, len(plan["instances"]) - freed),
        SNAPSHOTS: int(removed),
    }
    needs = {context.settings.region: here}
    for hop in plan["copy"]["hops"]:
        there = needs.setdefault(hop["region"], {SNAPSHOTS: 0})
        there[SNAPSHOTS] += context.rds_in(hop["region"]).find_snapshot(hop["snapshot_id"]) is None
    return needs


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


def _classes(context: Context, plan: Mapping[str, Any]) -> tuple[str, str]:
    """The classes are offered for the restored engine version, in zones of the subnet group."""
    engine, version, name = (plan["restore"][key] for key in ("engine", "engine_version", "subnet_group"))
    reachable = context.offers.subnet_group(name).zones if name else None
    told, narrow, bad = [], False, []
    for kind in dict.fromkeys(instance["class"] for instance in plan["instances"]):
        offered = context.offers.zones(engine, version, kind)
        usable = offered if offered is None or reachable is None else offered & reachable
        told.append(f"{kind} in {', '.join(sorted(usable or [])) or 'none of the zones'}")
        bad += [told[-1]] if offered is None or (offered and not usable) else []  # an offer without zones says nothing
        narrow = narrow or len(usable or []) < FEWEST_ZONES
    if bad:
        raise IncompatibleEngine(
            f"{engine} {version} is not offered with the class where the subnet group is: {'; '.join(bad)}.",
            remedy="Give another class (instances.class), or a subnet group in other zones (cluster.subnet_group).",
        )
    return (WARNING, f"fewer than {FEWEST_ZONES} zones: {'; '.join(told)}") if narrow else (PASSED, "; ".join(told))


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
    final = _final_snapshot(plan)
    if final and context.rds.find_snapshot(final) is not None:
        return WARNING, f"snapshot {final} exists: what is put aside cannot leave its last snapshot under this name"
    clusters = 1 if removes_target(plan) else 2
    return PASSED, f"{len(wanted) + len(hops) + clusters} names are free"


def _final_snapshot(plan: Mapping[str, Any]) -> str | None:
    """Of what the operation leaves beside the target, once its time is over; None where nothing will be left so."""
    if removes_target(plan) or not plan["retention"]["final_snapshot"]:
        return None
    kept = plan["swap"]["old_cluster_id"] if plan["swap"]["needed"] else plan["restore"]["cluster_id"]
    return identifiers.final_snapshot(kept)


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

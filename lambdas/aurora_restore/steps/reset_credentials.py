"""ResetCredentials: a restored cluster keeps production's passwords and habits; the master gets another password,
what the databases do by themselves ends, and nobody else logs in.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from fnmatch import fnmatchcase
from typing import Any

from aurora_restore.aws.rds_types import Cluster
from aurora_restore.aws.secrets import Credentials
from aurora_restore.context import Context
from aurora_restore.db import Database
from aurora_restore.db.failures import LoginRefused, NotQuiet
from aurora_restore.db.model import Activity
from aurora_restore.errors import ResourceBusy
from aurora_restore.steps.databases import master_login, new_cluster, open_master
from aurora_restore.steps.progress import finished, require_lock, waiting

STEP = "ResetCredentials"
# AWS applies a new password "as soon as possible", minutes at worst; longer means that something else sets it.
PATIENCE_SECONDS = 900
_SHOWN = 20  # of what was stopped: the document's share; the journal and the audit trail have all


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Set the master password, once, wait until it really logs in; then stop what acts by itself, and disable logins.

    That is replication from production's publishers, scheduled jobs, and the logins that production left.

    The master user is the cluster's own: a restore keeps its name, so one secret serves targets whose masters differ,
    and the secret's `username` does not count here. Raises SecretNotFound, SecretMalformed, RestoreFailed, NameTaken,
    LoginRefused, NotQuiet, GrantsNotExact, DatabaseUnreachable (retried), WaitTimedOut.
    """
    plan = document["plan"]
    require_lock(context, plan)
    since = int(document.get("credentials", {}).get("since", context.now()))
    cluster = new_cluster(context, plan)
    managed = plan["credentials"]["master"] == "managed"
    seen: dict[str, Any] = {"master_username": cluster.master_username, "master": plan["credentials"]["master"]}
    if cluster.status == "available" and managed and "MasterUserSecret" not in cluster.raw:
        _request(context, plan, cluster, "managed", ManageMasterUserPassword=True)
    elif cluster.status == "available" and not (managed and cluster.managed_secret is None):
        master = master_login(context, plan, cluster)
        seen["secret"] = master.secret
        if _logs_in(context, cluster, master):
            disabled, stopped = _quieten(context, plan, cluster, master)
            report = {**seen, "disabled_logins": disabled, "stopped": stopped}
            seen |= {"stopped": stopped[:_SHOWN], "stopped_count": len(stopped)}
            return {**seen, "status": cluster.status, "audit": report, **finished(context, since)}
        if not managed:
            _request(context, plan, cluster, master.version, MasterUserPassword=master.password)
    what = f"the master password of {cluster.cluster_id} ({cluster.status})"
    return {**seen, "status": cluster.status, **waiting(context, plan, what, since=since)}


def disabled_logins(context: Context, plan: Mapping[str, Any], cluster: Cluster) -> list[str] | None:
    """The logins that this operation disabled in this cluster; None when it has not come to that yet."""
    entry = _of_cluster(_entry(context, plan), cluster)
    return list(entry["disabled"]) if entry.get("phase") == "made" else None


def _quieten(
    context: Context, plan: Mapping[str, Any], cluster: Cluster, master: Credentials
) -> tuple[list[str], list[str]]:
    """Nothing acts by itself, and nobody but the master may log in until SetupDbUsers says who.

    Done once, for later that would undo its work. Returns the logins and the activities.
    """
    entry = _of_cluster(_entry(context, plan), cluster)  # a finished one, or that of an attempt that died on the way
    if entry.get("phase") == "made":
        return list(entry["disabled"]), list(entry.get("stopped", []))
    with closing(open_master(context, cluster, master)) as database:
        activities = _activities(database, plan)
        done = {
            "disabled": sorted({*entry.get("disabled", []), *database.inherited_logins()}),
            "stopped": sorted({*entry.get("stopped", []), *map(str, activities)}),
        }
        _journal(context, plan, cluster, "quietening", master.version, **done)
        for activity in activities:
            database.stop(activity)
        if left := _activities(database, plan):
            raise NotQuiet(f"Stopped without an error and still going on: {', '.join(map(str, left))}.")
        for login in done["disabled"]:
            database.set_login(login, enabled=False)
    _journal(context, plan, cluster, "made", master.version, **done)
    return done["disabled"], done["stopped"]


def _activities(database: Database, plan: Mapping[str, Any]) -> list[Activity]:
    """What must end, replication first: it takes hold of production as soon as an instance runs."""
    keep = plan.get("jobs", {}).get("keep", [])  # a plan of before an update has none
    jobs = [] if "*" in keep else database.jobs()  # whoever keeps all of them need not be able to see them
    ended = [job for job in jobs if not any(fnmatchcase(job.full_name, pattern) for pattern in keep)]
    return [*database.replications(), *ended]


def _of_cluster(entry: Mapping[str, Any], cluster: Cluster) -> Mapping[str, Any]:
    return entry if entry.get("cluster_resource_id") == cluster.resource_id else {}


def _request(context: Context, plan: Mapping[str, Any], cluster: Cluster, version: str, **change: Any) -> None:
    """Ask for the new password, unless that was done and only has not shown yet. `version` tells passwords apart."""
    entry = _entry(context, plan)
    if entry.get("phase") == "requested" and entry.get("secret_version") == version:
        if context.now() - int(entry["at"]) > PATIENCE_SECONDS:
            raise LoginRefused(
                f"Cluster {cluster.cluster_id} accepted a new password for {cluster.master_username!r} "
                f"{PATIENCE_SECONDS} seconds ago and still refuses it.",
                remedy="See the cluster's RDS events, and whether something else (a rotation) sets its password.",
            )
        return
    _journal(context, plan, cluster, "intended", version)
    try:
        context.rds.modify_cluster(cluster.cluster_id, **change)
    except ResourceBusy as error:  # another change began since we looked: again after the wait
        context.logger.info("the password has to wait", extra={"reason": error.message})
        return
    _journal(context, plan, cluster, "requested", version)


def _logs_in(context: Context, cluster: Cluster, master: Credentials) -> bool:
    try:
        open_master(context, cluster, master).close()
    except LoginRefused:
        return False
    return True


def _entry(context: Context, plan: Mapping[str, Any]) -> Mapping[str, Any]:
    operation = context.store.read(plan["operation_id"])
    return operation.entry(STEP) if operation else {}


def _journal(
    context: Context, plan: Mapping[str, Any], cluster: Cluster, phase: str, version: str, **more: list[str]
) -> None:
    entry = {
        "cluster_id": cluster.cluster_id,
        "cluster_resource_id": cluster.resource_id,
        "secret_version": version,
        "at": context.now(),
        "phase": phase,
        **more,
    }
    context.store.journal(plan["operation_id"], STEP, entry)

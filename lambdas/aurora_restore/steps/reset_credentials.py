"""ResetCredentials: a restored cluster keeps production's passwords; the master gets another, nobody else logs in."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from aurora_restore.aws.rds_types import Cluster
from aurora_restore.aws.secrets import Credentials
from aurora_restore.context import Context
from aurora_restore.db.failures import LoginRefused
from aurora_restore.errors import ResourceBusy
from aurora_restore.steps.databases import master_login, new_cluster, open_master
from aurora_restore.steps.progress import finished, require_lock, waiting

STEP = "ResetCredentials"
# AWS applies a new password "as soon as possible", minutes at worst; longer means that something else sets it.
PATIENCE_SECONDS = 900


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Set the master password, once, wait until it really logs in, and disable the logins that production left.

    The master user is the cluster's own: a restore keeps its name, so one secret serves targets whose masters differ,
    and the secret's `username` does not count here. Raises SecretNotFound, SecretMalformed, RestoreFailed, NameTaken,
    LoginRefused, GrantsNotExact, DatabaseUnreachable (retried), WaitTimedOut.
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
            disabled = _disable_logins(context, plan, cluster, master)
            report = {**seen, "disabled_logins": disabled}
            return {**seen, "status": cluster.status, "audit": report, **finished(context, since)}
        if not managed:
            _request(context, plan, cluster, master.version, MasterUserPassword=master.password)
    what = f"the master password of {cluster.cluster_id} ({cluster.status})"
    return {**seen, "status": cluster.status, **waiting(context, plan, what, since=since)}


def disabled_logins(context: Context, plan: Mapping[str, Any], cluster: Cluster) -> list[str] | None:
    """The logins that this operation disabled in this cluster; None when it has not come to that yet."""
    entry = _entry(context, plan)
    done = entry.get("phase") == "made" and entry.get("cluster_resource_id") == cluster.resource_id
    return list(entry["disabled"]) if done else None


def _disable_logins(context: Context, plan: Mapping[str, Any], cluster: Cluster, master: Credentials) -> list[str]:
    """Nobody but the master may log in until SetupDbUsers says who; done once, for later that would undo its work."""
    known = disabled_logins(context, plan, cluster)
    if known is not None:
        return known
    entry = _entry(context, plan)  # of an attempt that died on the way
    earlier = entry.get("disabled", []) if entry.get("cluster_resource_id") == cluster.resource_id else []
    with closing(open_master(context, cluster, master)) as database:
        found = sorted({*earlier, *database.inherited_logins()})
        _journal(context, plan, cluster, "disabling", master.version, disabled=found)
        for login in found:
            database.set_login(login, enabled=False)
    _journal(context, plan, cluster, "made", master.version, disabled=found)
    return found


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

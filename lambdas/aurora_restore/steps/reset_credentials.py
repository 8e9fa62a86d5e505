"""ResetCredentials: a restored cluster keeps production's master password; it gets the environment's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.aws.rds_types import Cluster
from aurora_restore.aws.secrets import Credentials
from aurora_restore.context import Context
from aurora_restore.db.failures import LoginRefused
from aurora_restore.errors import ResourceBusy
from aurora_restore.steps.databases import new_cluster, open_master
from aurora_restore.steps.progress import finished, require_lock, waiting

STEP = "ResetCredentials"
# AWS applies a new password "as soon as possible", minutes at worst; longer means that something else sets it.
PATIENCE_SECONDS = 900


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Set the master password from the secret, once, and wait until it really logs in; `done` only then.

    The master user is the cluster's own: a restore keeps its name, so one secret serves targets whose masters differ,
    and the secret's `username` does not count here. Raises SecretNotFound, SecretMalformed, RestoreFailed, NameTaken,
    LoginRefused, DatabaseUnreachable (retried), WaitTimedOut.
    """
    plan = document["plan"]
    require_lock(context, plan)
    since = int(document.get("credentials", {}).get("since", context.now()))
    master = context.secrets.master_credentials(context.settings.master_secret_name)
    cluster = new_cluster(context, plan)
    seen = {"master_username": cluster.master_username, "secret": master.secret}
    if cluster.status == "available":
        if _logs_in(context, cluster, master):
            _journal(context, plan, cluster, master, "made")
            return {**seen, "status": cluster.status, "audit": seen, **finished(context, since)}
        _request(context, plan, cluster, master)
    what = f"the master password of {cluster.cluster_id} ({cluster.status})"
    return {**seen, "status": cluster.status, **waiting(context, plan, what, since=since)}


def _request(context: Context, plan: Mapping[str, Any], cluster: Cluster, master: Credentials) -> None:
    """Ask for the secret's password, unless that was done and only has not shown yet."""
    operation = context.store.read(plan["operation_id"])
    entry = operation.entry(STEP) if operation else {}
    if entry.get("phase") == "requested" and entry.get("secret_version") == master.version:
        if context.now() - int(entry["at"]) > PATIENCE_SECONDS:
            raise LoginRefused(
                f"Cluster {cluster.cluster_id} accepted a new password for {cluster.master_username!r} "
                f"{PATIENCE_SECONDS} seconds ago and still refuses it.",
                remedy="See the cluster's RDS events, and whether something else (a rotation) sets its password.",
            )
        return
    _journal(context, plan, cluster, master, "intended")
    try:
        context.rds.modify_cluster(cluster.cluster_id, MasterUserPassword=master.password)
    except ResourceBusy as error:  # another change began since we looked: again after the wait
        context.logger.info("the password has to wait", extra={"reason": error.message})
        return
    _journal(context, plan, cluster, master, "requested")


def _logs_in(context: Context, cluster: Cluster, master: Credentials) -> bool:
    try:
        open_master(context, cluster, master).close()
    except LoginRefused:
        return False
    return True


def _journal(context: Context, plan: Mapping[str, Any], cluster: Cluster, master: Credentials, phase: str) -> None:
    entry = {
        "cluster_id": cluster.cluster_id,
        "cluster_resource_id": cluster.resource_id,
        "secret_version": master.version,
        "at": context.now(),
        "phase": phase,
    }
    context.store.journal(plan["operation_id"], STEP, entry)

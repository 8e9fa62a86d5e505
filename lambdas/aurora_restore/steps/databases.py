"""What the steps that work inside the new cluster's databases have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.aws.rds_types import Cluster
from aurora_restore.aws.secrets import Credentials
from aurora_restore.context import Context
from aurora_restore.db import Database, Endpoint, connect
from aurora_restore.errors import RestoreFailed, SecretNotFound
from aurora_restore.steps.progress import require_own

# Every Aurora cluster has these; "" logs a MySQL client in without choosing a database.
_ALWAYS_THERE = {"aurora-postgresql": "postgres", "aurora-mysql": ""}
_RESERVE_SECONDS = 20  # of the function's own time-out: for its start, AWS calls and the error it must still raise
_LEAST_SECONDS = 5


def new_cluster(context: Context, plan: Mapping[str, Any]) -> Cluster:
    """The operation's own cluster. Raises RestoreFailed if it is gone, NameTaken if another operation made it."""
    cluster = context.rds.find_cluster(plan["restore"]["cluster_id"])
    if cluster is None:
        raise RestoreFailed(f"Cluster {plan['restore']['cluster_id']} vanished.")
    require_own(context, cluster.tags, plan["operation_id"], f"Cluster {cluster.cluster_id}")
    return cluster


def master_login(context: Context, plan: Mapping[str, Any], cluster: Cluster) -> Credentials:
    """The cluster's master user: from the pipeline's own secret, or from the one that RDS keeps for the cluster.

    Raises SecretNotFound, SecretMalformed.
    """
    if plan["credentials"]["master"] == "secret":
        return context.secrets.master_credentials(context.settings.master_secret_name)
    managed = cluster.managed_secret
    if managed is None:
        raise SecretNotFound(
            f"RDS keeps no master password for cluster {cluster.cluster_id}.",
            remedy="Look who ended it (ModifyDBCluster, ManageMasterUserPassword), and start again.",
        )
    return context.secrets.credentials(managed)


def budget_seconds(context: Context) -> float:
    """How long SQL may run in one invocation, so that the server stops it before AWS Lambda stops the function."""
    return float(max(context.settings.lambda_timeout_seconds - _RESERVE_SECONDS, _LEAST_SECONDS))


def open_master(context: Context, cluster: Cluster, master: Credentials, database: str | None = None) -> Database:
    """A connection to the writer as the cluster's master user; by default to a database that always exists."""
    name = database or _ALWAYS_THERE[cluster.engine]
    return _open(context, cluster, name, cluster.master_username, master.password)


def open_as(context: Context, cluster: Cluster, login: Credentials, database: str) -> Database:
    """A connection to the cluster's writer as one of its logins."""
    return _open(context, cluster, database, login.username, login.password)


def _open(context: Context, cluster: Cluster, database: str, user: str, password: str) -> Database:
    endpoint = Endpoint(cluster.engine, cluster.endpoint, cluster.port, database, user, password)
    return connect(endpoint, context.settings.rds_ca_bundle, budget_seconds(context))

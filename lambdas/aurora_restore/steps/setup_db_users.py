"""SetupDbUsers: the logins of the request, each with exactly its rights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from aurora_restore.aws.rds_types import Cluster
from aurora_restore.aws.secrets import Credentials
from aurora_restore.context import Context
from aurora_restore.db import Access
from aurora_restore.db.model import login_name
from aurora_restore.errors import DatabaseRefused, SecretMalformed
from aurora_restore.steps.databases import master_login, new_cluster, open_master
from aurora_restore.steps.progress import require_lock
from aurora_restore.steps.reset_credentials import disabled_logins

STEP = "SetupDbUsers"


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Make every user of `plan.users` what the request says, whatever production left. A second run changes nothing.

    Raises SecretNotFound, SecretMalformed, DatabaseUnreachable (retried) and DatabaseRefused with its kinds.
    """
    plan = document["plan"]
    require_lock(context, plan)
    cluster = new_cluster(context, plan)
    master = master_login(context, plan, cluster)
    logins = credentials_of(context, plan["users"])
    names = [login.username for login in logins]
    _require_other_roles(plan, names)
    context.store.journal(plan["operation_id"], STEP, {"users": names, "phase": "intended"})
    kept = _keep_logins(context, cluster, master, plan)
    pairs = list(zip(logins, plan["users"], strict=True))
    # All logins before any right: what a login owned passes to the master, and rights depend on who owns what.
    cleared = [_make_login(context, cluster, master, login, user) for login, user in pairs]
    granted = [_grant(context, cluster, master, login, user) for login, user in pairs]
    users = [
        {
            "name": login.username,
            "secret": login.secret,
            "access": user["access"],
            "database": user["database"],
            "schemas": list(user["schemas"]),
            "member_of": list(_member_of(user)),
            "changes": len(before) + len(after),
        }
        for (login, user), before, after in zip(pairs, cleared, granted, strict=True)
    ]
    for login, before, after in zip(logins, cleared, granted, strict=True):
        context.logger.info("user set up", extra={"user": login.username, "changes": [*before, *after]})
    context.store.journal(plan["operation_id"], STEP, {"users": names, "phase": "made"})
    return {"users": users, "audit": {"users": users, "kept_logins": kept}}


def credentials_of(context: Context, users: Sequence[Mapping[str, Any]]) -> list[Credentials]:
    """The login of each user. Raises SecretMalformed where two users share one: each would undo the other's rights."""
    logins = [context.secrets.credentials(user["secret"]) for user in users]
    shared = [name for name, count in Counter(login.username for login in logins).items() if count > 1]
    if shared:
        secrets = sorted({login.secret for login in logins if login.username in shared})
        raise SecretMalformed(
            f"Several users of the request have the username {', '.join(map(repr, sorted(shared)))} "
            f"(secrets {', '.join(secrets)}).",
            remedy="Give every entry under users a secret with a username of its own.",
        )
    return logins


def _require_other_roles(plan: Mapping[str, Any], names: Sequence[str]) -> None:
    """Nobody gets the rights of a user of the request by being its member: each has just its own."""
    wanted = [role for user in plan["users"] for role in _member_of(user)]
    wanted += [role for roles in _members(plan).values() for role in roles]
    mixed = sorted(set(wanted) & set(names))
    if mixed:
        raise DatabaseRefused(
            f"The request makes {', '.join(map(repr, mixed))} both a user and a role that others are members of.",
            remedy="Name other roles of the source in `member_of`.",
        )


def _member_of(user: Mapping[str, Any]) -> Sequence[str]:
    roles: Sequence[str] = user.get("member_of", ())  # a resumed plan may be older than this
    return roles


def _members(plan: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """By name of the login that is kept."""
    members: Mapping[str, Sequence[str]] = plan["credentials"].get("member_of", {})
    return members


def _keep_logins(context: Context, cluster: Cluster, master: Credentials, plan: Mapping[str, Any]) -> list[str]:
    """Let those of production's logins log in again that the request keeps, with the rights they had.

    Their memberships are first made what the request says, where it says something of them.
    """
    wanted, members = set(plan["credentials"]["keep_logins"]), _members(plan)
    kept = [name for name in disabled_logins(context, plan, cluster) or [] if login_name(name) in wanted]
    if kept:
        with closing(open_master(context, cluster, master)) as database:
            for user in sorted({login_name(name) for name in kept} & set(members)):
                changes = database.ensure_memberships(user, members[user])
                context.logger.info("memberships of a kept login", extra={"user": user, "changes": changes})
            for name in kept:
                database.set_login(name, enabled=True)
    return kept


def _make_login(
    context: Context, cluster: Cluster, master: Credentials, login: Credentials, user: Mapping[str, Any]
) -> list[str]:
    """Make the login, without rights in any database but its own."""
    with closing(open_master(context, cluster, master, user["database"])) as own:
        changes = own.ensure_login(login.username, login.password, _member_of(user))
        others = own.other_databases_of(login.username)
    for name in others:
        with closing(open_master(context, cluster, master, name)) as other:
            changes += [f"{name}: {change}" for change in other.revoke_all(login.username)]
    return changes


def _grant(
    context: Context, cluster: Cluster, master: Credentials, login: Credentials, user: Mapping[str, Any]
) -> list[str]:
    with closing(open_master(context, cluster, master, user["database"])) as database:
        return database.ensure_grants(login.username, Access(user["access"]), user["schemas"], _member_of(user))

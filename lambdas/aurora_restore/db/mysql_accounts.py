"""Accounts and grants of MySQL. An account is 'user'@'host'; all accounts of a user get the same password and rights.

Other hosts' accounts are kept and aligned rather than dropped: the most specific host wins at login, so a forgotten
'app'@'10.%' would shadow 'app'@'%'; and views and routines that name an account as definer break when it goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from aurora_restore.db import verifiers
from aurora_restore.db.failures import GrantsNotExact, StatementFailed
from aurora_restore.db.model import SERVICE_LOGINS, Access
from aurora_restore.db.mysql_session import Accounts
from aurora_restore.db.quoting import mysql_name, mysql_schema_pattern
from aurora_restore.errors import DatabaseRefused

# SHOW GRANTS: `GRANT SELECT, INSERT ON `shop`.* TO ...` for rights, `GRANT `role`@`%` TO ...` for memberships.
_GRANT = re.compile(r"GRANT (?P<privileges>.+?)(?: ON (?P<target>.+?))? TO [`']")
Grant = tuple[str, str]
_ROLE = re.compile(r"`(?:[^`]|``)*`(?:@`(?:[^`]|``)*`)?")  # MySQL lists several in one line
_ADMITS = " WITH ADMIN OPTION"
_NOTHING: set[Grant] = {("USAGE", "*.*")}
_LOCAL = ("localhost", "127.0.0.1", "::1")
_SERVICE = {
    *SERVICE_LOGINS,
    *("mysql.infoschema", "mysql.session", "mysql.sys", "mariadb.sys"),  # the server's own
    # Amazon's roles (AUG, "Role-based privilege model"): MySQL keeps roles among the accounts, as a rule locked.
    *("rds_superuser_role", "AWS_BEDROCK_ACCESS", "AWS_COMPREHEND_ACCESS", "AWS_LAMBDA_ACCESS", "AWS_LOAD_S3_ACCESS"),
    *("AWS_SAGEMAKER_ACCESS", "AWS_SELECT_S3_ACCESS"),
}
_ORDER = ("SELECT", "INSERT", "UPDATE", "DELETE")  # as SHOW GRANTS prints them


def ensure_login(session: Accounts, user: str, password: str) -> list[str]:
    """Let every account of `user` (at least 'user'@'%') log in with `password`. Returns what was changed.

    The password leaves as a verifier only: the server's logs never see it. Raises DatabaseRefused for the master user.
    """
    if user == session.endpoint.user:
        raise DatabaseRefused(
            f"{user!r} is the cluster's master user and cannot be an application's login.",
            remedy="Put another username into the user's secret.",
        )
    plugin = _plugin(session)
    changes = []
    accounts = session.run(session.dialect.accounts, user)
    for host, present_plugin, stored, locked in accounts:
        if locked or not verifiers.mysql_verifier_matches(present_plugin, bytes.fromhex(stored or ""), password):
            verifier = verifiers.mysql_verifier(plugin, password)
            session.run(f"ALTER USER %s@%s IDENTIFIED WITH {plugin} AS %s ACCOUNT UNLOCK", user, host, verifier)
            changes.append(f"ALTER USER PASSWORD @{host}")
    if not any(host == "%" for host, *_ in accounts):
        session.run(
            f"CREATE USER %s@%s IDENTIFIED WITH {plugin} AS %s", user, "%", verifiers.mysql_verifier(plugin, password)
        )
        changes.append("CREATE USER @%")
    return changes + _dismiss(session, user)


def ensure_grants(
    session: Accounts, user: str, access: Access, schemas: Collection[str], member_of: Collection[str]
) -> list[str]:
    """Give every account of `user` exactly `access` to `schemas` and the roles `member_of`. Returns what was changed.

    A grant on a schema covers the tables it will have. Raises DatabaseRefused for a schema or role that does not exist,
    GrantsNotExact where the master may not grant.
    """
    absent = sorted(set(schemas) - session.schemas())
    if absent:
        raise DatabaseRefused(
            f"{session.endpoint.host} has no database {', '.join(map(repr, absent))}.",
            remedy="Correct `schemas` under users in the request.",
        )
    roles = _roles(session, user, member_of)
    return _converge(session, user, lambda _: _goal(access, schemas) | roles)


def ensure_memberships(session: Accounts, user: str, member_of: Collection[str]) -> list[str]:
    """Give every account of `user` exactly the roles `member_of` besides the rights it has. Returns what was changed.

    Raises DatabaseRefused for a role that does not exist, GrantsNotExact where the master may not grant or revoke.
    """
    roles = _roles(session, user, member_of)
    return _converge(session, user, lambda held: {right for right in held if right[1]} | roles)


def revoke_all(session: Accounts, user: str) -> list[str]:
    """Take every right from every account of `user`. Returns what was changed."""
    return _converge(session, user, lambda _: _NOTHING)


def deviations(session: Accounts, access: Access, schemas: Collection[str], member_of: Collection[str]) -> list[str]:
    """Where the current user's grants differ from `access` to `schemas` and the roles `member_of`, in SQL's words.

    A role that is active would show its rights as the user's own.
    """
    session.run("SET ROLE NONE")
    held = _parse(row[0] for row in session.run("SHOW GRANTS"))
    goal = _goal(access, schemas) | {_role(session, name) for name in member_of}
    return [f"may {_words(right)}" for right in sorted(held - goal)] + [
        f"may not {_words(right)}" for right in sorted(goal - held)
    ]


def _converge(session: Accounts, user: str, goal_of: Callable[[set[Grant]], set[Grant]]) -> list[str]:
    """Bring every account of `user` from what it holds to what `goal_of` makes of that."""
    changes = []
    for host, *_ in session.run(session.dialect.accounts, user):
        held = _held(session, user, host)
        goal = goal_of(held)
        if held == goal:
            continue
        try:
            _replace(session, user, host, held, goal)
        except StatementFailed as error:
            raise GrantsNotExact(
                f"The master user {session.endpoint.user!r} may not change the rights of {user!r}@{host!r}: "
                f"{error.message}",
                remedy="Give the source's master user the rights and roles (WITH ADMIN OPTION) in question, or put the "
                "name of a new login into the secret.",
            ) from error
        wrong = _held(session, user, host) ^ goal
        if wrong:
            listed = "; ".join(map(_words, sorted(wrong)))
            raise GrantsNotExact(f"The rights of {user!r}@{host!r} cannot be put right: {listed}.")
        changes.append(f"GRANT @{host}: {'; '.join(map(_words, sorted(goal)))}")
    return changes


def _replace(session: Accounts, user: str, host: str, held: set[Grant], goal: set[Grant]) -> None:
    """Of rights nothing first, then the goal: the grammar cannot revoke just what is too much."""
    for role, _ in sorted(_memberships(held) - goal):
        session.run(f"REVOKE {_bindable(role.removesuffix(_ADMITS))} FROM %s@%s", user, host)
    rights = goal - _memberships(goal)
    if held - _memberships(held) != rights:
        session.run("REVOKE ALL PRIVILEGES, GRANT OPTION FROM %s@%s", user, host)
        for privileges, target in sorted(rights - _NOTHING):
            session.run(f"GRANT {privileges} ON {_bindable(target)} TO %s@%s", user, host)
    for role, _ in sorted(_memberships(goal) - _held(session, user, host)):
        session.run(f"GRANT {_bindable(role)} TO %s@%s", user, host)


def _dismiss(session: Accounts, user: str) -> list[str]:
    """Let nobody but the master hold an account of `user` as a role: its members would have its rights."""
    if session.dialect.members is None:
        return []
    rows = session.run(session.dialect.members, user, session.endpoint.user)
    for member, host, of in rows:
        session.run("REVOKE %s@%s FROM %s@%s", user, of, member, host)
    return [f"REVOKE ROLE FROM {member}@{host}" for member, host, _ in rows]


def _roles(session: Accounts, user: str, names: Collection[str]) -> set[Grant]:
    """The memberships in the roles `names`. Raises DatabaseRefused for one that does not exist."""
    absent = sorted(set(names) - {row[0] for row in session.run(session.dialect.roles)}) if names else []
    if absent:
        raise DatabaseRefused(
            f"There is no role {', '.join(map(repr, absent))} for {user!r} to be a member of.",
            remedy="Correct `member_of` in the request.",
        )
    return {_role(session, name) for name in names}


def _role(session: Accounts, name: str) -> Grant:
    host = session.dialect.role_host
    return mysql_name(name) + (f"@{mysql_name(host)}" if host else ""), ""


def _memberships(grants: set[Grant]) -> set[Grant]:
    return {grant for grant in grants if not grant[1]}


def _bindable(sql: str) -> str:
    """For a statement with values, where `%` marks their places."""
    return sql.replace("%", "%%")


def _goal(access: Access, schemas: Collection[str]) -> set[Grant]:
    privileges = ", ".join(name for name in _ORDER if name in access.table_privileges)
    return _NOTHING | {(privileges, f"{mysql_schema_pattern(schema)}.*") for schema in schemas}


def _held(session: Accounts, user: str, host: str) -> set[Grant]:
    return _parse(row[0] for row in session.run("SHOW GRANTS FOR %s@%s", user, host))


def _parse(lines: Iterable[str]) -> set[Grant]:
    """What SHOW GRANTS says: (privileges, target) pairs, (role, "") for a membership."""
    grants = set()
    for line in lines:
        found = _GRANT.match(line)
        if found and not found["target"]:
            option = _ADMITS if line.endswith(_ADMITS) else ""
            grants |= {(role + option, "") for role in _ROLE.findall(found["privileges"])}
        elif found:  # MariaDB adds SET DEFAULT ROLE lines
            option = " WITH GRANT OPTION" if line.endswith(" WITH GRANT OPTION") else ""
            grants.add((found["privileges"] + option, found["target"]))
    return grants


def _plugin(session: Accounts) -> str:
    """The server's own default: what the application's driver was chosen for, and what the server will still load."""
    values = " ".join(str(row[1]) for row in session.run(session.dialect.default_plugin))
    return "mysql_native_password" if "mysql_native_password" in values else "caching_sha2_password"


def _words(grant: Grant) -> str:
    privileges, target = grant
    return f"{privileges} on {target}" if target else f"act as {privileges}"


def inherited_logins(session: Accounts) -> list[str]:
    """`user@host` of every account that may log in, but for our own, the service's, and those of the server itself.

    Nobody reaches an Aurora server as `localhost`. A further account of the master's name counts as inherited: its
    password is not the one that was reset.
    """
    own = session.run("SELECT CURRENT_USER()")[0][0]
    rows = session.run(session.dialect.unlocked)
    accounts = [f"{user}@{host}" for user, host in rows if host not in _LOCAL and user not in _SERVICE]
    return sorted(account for account in accounts if account != own)


def set_login(session: Accounts, login: str, *, enabled: bool) -> None:
    """Lock or unlock an account. Raises GrantsNotExact where the master may not."""
    user, host = login.rsplit("@", 1)
    try:
        session.run(f"ALTER USER %s@%s ACCOUNT {'UNLOCK' if enabled else 'LOCK'}", user, host)
    except StatementFailed as error:
        raise GrantsNotExact(
            f"The master user {session.endpoint.user!r} may not lock the account {login!r}: {error.message}",
            remedy="Drop or lock the account in the source, then restore from a newer snapshot.",
        ) from error

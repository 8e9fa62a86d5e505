"""Accounts and grants of MySQL. An account is 'user'@'host'; all accounts of a user get the same password and rights.

Other hosts' accounts are kept and aligned rather than dropped: the most specific host wins at login, so a forgotten
'app'@'10.%' would shadow 'app'@'%'; and views and routines that name an account as definer break when it goes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from aurora_restore.db import verifiers
from aurora_restore.db.failures import GrantsNotExact, StatementFailed
from aurora_restore.db.model import SERVICE_LOGINS, Access
from aurora_restore.db.quoting import mysql_schema_pattern
from aurora_restore.errors import DatabaseRefused

if TYPE_CHECKING:
    from aurora_restore.db.mysql import MysqlDatabase

# SHOW GRANTS: `GRANT SELECT, INSERT ON `shop`.* TO ...` for rights, `GRANT `role`@`%` TO ...` for memberships.
_GRANT = re.compile(r"GRANT (?P<privileges>.+?)(?: ON (?P<target>.+?))? TO [`']")
Grant = tuple[str, str]
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


def ensure_login(database: MysqlDatabase, user: str, password: str) -> list[str]:
    """Let every account of `user` (at least 'user'@'%') log in with `password`. Returns what was changed.

    The password leaves as a verifier only: the server's logs never see it. Raises DatabaseRefused for the master user.
    """
    if user == database.endpoint.user:
        raise DatabaseRefused(
            f"{user!r} is the cluster's master user and cannot be an application's login.",
            remedy="Put another username into the user's secret.",
        )
    plugin = _plugin(database)
    changes = []
    accounts = database.run(database.dialect.accounts, user)
    for host, present_plugin, stored, locked in accounts:
        if locked or not verifiers.mysql_verifier_matches(present_plugin, bytes.fromhex(stored or ""), password):
            verifier = verifiers.mysql_verifier(plugin, password)
            database.run(f"ALTER USER %s@%s IDENTIFIED WITH {plugin} AS %s ACCOUNT UNLOCK", user, host, verifier)
            changes.append(f"ALTER USER PASSWORD @{host}")
    if not any(host == "%" for host, *_ in accounts):
        database.run(
            f"CREATE USER %s@%s IDENTIFIED WITH {plugin} AS %s", user, "%", verifiers.mysql_verifier(plugin, password)
        )
        changes.append("CREATE USER @%")
    return changes


def ensure_grants(database: MysqlDatabase, user: str, access: Access, schemas: Collection[str]) -> list[str]:
    """Give every account of `user` exactly `access` to `schemas`. Returns what was changed.

    A grant on a schema covers the tables it will have. Raises DatabaseRefused for a schema that does not exist,
    GrantsNotExact where the master may not grant.
    """
    absent = sorted(set(schemas) - database.schemas())
    if absent:
        raise DatabaseRefused(
            f"{database.endpoint.host} has no database {', '.join(map(repr, absent))}.",
            remedy="Correct `schemas` under users in the request.",
        )
    return _converge(database, user, _goal(access, schemas))


def revoke_all(database: MysqlDatabase, user: str) -> list[str]:
    """Take every right from every account of `user`. Returns what was changed."""
    return _converge(database, user, _NOTHING)


def deviations(database: MysqlDatabase, access: Access, schemas: Collection[str]) -> list[str]:
    """Where the current user's grants differ from `access` to `schemas`; the server's own words for them."""
    held = _parse(row[0] for row in database.run("SHOW GRANTS"))
    goal = _goal(access, schemas)
    return [f"may {_words(right)}" for right in sorted(held - goal)] + [
        f"may not {_words(right)}" for right in sorted(goal - held)
    ]


def _converge(database: MysqlDatabase, user: str, goal: set[Grant]) -> list[str]:
    changes = []
    for host, *_ in database.run(database.dialect.accounts, user):
        held = _held(database, user, host)
        if held == goal:
            continue
        try:
            _replace(database, user, host, held, goal)
        except StatementFailed as error:
            raise GrantsNotExact(
                f"The master user {database.endpoint.user!r} may not change the rights of {user!r}@{host!r}: "
                f"{error.message}",
                remedy="Give the source's master user the rights and roles (WITH ADMIN OPTION) in question, or put the "
                "name of a new login into the secret.",
            ) from error
        wrong = _held(database, user, host) ^ goal
        if wrong:
            listed = "; ".join(map(_words, sorted(wrong)))
            raise GrantsNotExact(f"The rights of {user!r}@{host!r} cannot be put right: {listed}.")
        changes.append(f"GRANT @{host}: {'; '.join(map(_words, sorted(goal)))}")
    return changes


def _replace(database: MysqlDatabase, user: str, host: str, held: set[Grant], goal: set[Grant]) -> None:
    """Nothing first, then the goal: the grammar cannot revoke just what is too much."""
    for role in sorted(privileges for privileges, target in held if not target):
        database.run(f"REVOKE {role} FROM %s@%s", user, host)
    database.run("REVOKE ALL PRIVILEGES, GRANT OPTION FROM %s@%s", user, host)
    for privileges, target in sorted(goal - _NOTHING):
        database.run(f"GRANT {privileges} ON {target.replace('%', '%%')} TO %s@%s", user, host)


def _goal(access: Access, schemas: Collection[str]) -> set[Grant]:
    privileges = ", ".join(name for name in _ORDER if name in access.table_privileges)
    return _NOTHING | {(privileges, f"{mysql_schema_pattern(schema)}.*") for schema in schemas}


def _held(database: MysqlDatabase, user: str, host: str) -> set[Grant]:
    return _parse(row[0] for row in database.run("SHOW GRANTS FOR %s@%s", user, host))


def _parse(lines: Iterable[str]) -> set[Grant]:
    """What SHOW GRANTS says: (privileges, target) pairs, (role, "") for a membership."""
    grants = set()
    for line in lines:
        found = _GRANT.match(line)
        if found:  # MariaDB adds SET DEFAULT ROLE lines
            option = " WITH GRANT OPTION" if line.endswith(" WITH GRANT OPTION") else ""
            grants.add((found["privileges"] + option, found["target"] or ""))
    return grants


def _plugin(database: MysqlDatabase) -> str:
    """The server's own default: what the application's driver was chosen for, and what the server will still load."""
    values = " ".join(str(row[1]) for row in database.run(database.dialect.default_plugin))
    return "mysql_native_password" if "mysql_native_password" in values else "caching_sha2_password"


def _words(grant: Grant) -> str:
    privileges, target = grant
    return f"{privileges} on {target}" if target else f"act as {privileges}"


def inherited_logins(database: MysqlDatabase) -> list[str]:
    """`user@host` of every account that may log in, but for our own, the service's, and those of the server itself.

    Nobody reaches an Aurora server as `localhost`. A further account of the master's name counts as inherited: its
    password is not the one that was reset.
    """
    own = database.run("SELECT CURRENT_USER()")[0][0]
    rows = database.run(database.dialect.unlocked)
    accounts = [f"{user}@{host}" for user, host in rows if host not in _LOCAL and user not in _SERVICE]
    return sorted(account for account in accounts if account != own)


def set_login(database: MysqlDatabase, login: str, *, enabled: bool) -> None:
    """Lock or unlock an account. Raises GrantsNotExact where the master may not."""
    user, host = login.rsplit("@", 1)
    try:
        database.run(f"ALTER USER %s@%s ACCOUNT {'UNLOCK' if enabled else 'LOCK'}", user, host)
    except StatementFailed as error:
        raise GrantsNotExact(
            f"The master user {database.endpoint.user!r} may not lock the account {login!r}: {error.message}",
            remedy="Drop or lock the account in the source, then restore from a newer snapshot.",
        ) from error

"""Making a PostgreSQL role an ordinary login: the right password, no attribute, no membership, no property."""

from __future__ import annotations

from collections.abc import Collection

from aurora_restore.db import verifiers
from aurora_restore.db.failures import GrantsNotExact, StatementFailed
from aurora_restore.db.model import SERVICE_LOGINS
from aurora_restore.db.postgres_access import take_over
from aurora_restore.db.postgres_memberships import dismiss, leave
from aurora_restore.db.postgres_rights import Writer
from aurora_restore.db.quoting import postgres_literal, postgres_name
from aurora_restore.errors import DatabaseRefused

# Attributes in pg_roles that an ordinary login lacks. ALTER ROLE is told only of those to change: it refuses a
# non-superuser who so much as mentions NOSUPERUSER.
_ATTRIBUTES = {
    "rolsuper": "NOSUPERUSER",
    "rolcreatedb": "NOCREATEDB",
    "rolcreaterole": "NOCREATEROLE",
    "rolreplication": "NOREPLICATION",
    "rolbypassrls": "NOBYPASSRLS",
}


def ensure_login(session: Writer, role: str, password: str, member_of: Collection[str]) -> list[str]:
    """Make `role` a login with `password` that owns nothing in this database. Returns what was changed, no secret.

    A membership would carry another role's rights, or (rds_iam) forbid passwords: only those in `member_of` stay.
    The password leaves this function as a SCRAM verifier only: a literal one would reach the server's log
    (`log_statement`, failed statements, pg_stat_statements). Raises DatabaseRefused for the master user itself, for a
    password SCRAM cannot carry, and (GrantsNotExact) for a role that the master may not alter.
    """
    if role == session.endpoint.user:
        raise DatabaseRefused(
            f"{role!r} is the cluster's master user and cannot be an application's login.",
            remedy="Put another username into the user's secret.",
        )
    try:
        name = postgres_name(role)
        verifier = postgres_literal(verifiers.postgres_scram(password))
    except ValueError as error:
        raise DatabaseRefused(
            f"The login {role!r} cannot be made: {error}.",
            remedy="Write another username or password into its secret.",
        ) from None
    columns = ", ".join(_ATTRIBUTES)
    rows = session.run(
        f"SELECT rolcanlogin, rolvaliduntil < 'infinity', {columns} FROM pg_roles WHERE rolname = $1", role
    )
    if not rows:
        session.run(f"CREATE ROLE {name} LOGIN PASSWORD {verifier}")
        return ["CREATE ROLE"]
    can_login, expires, *attributes = rows[0]
    options = [option for option, present in zip(_ATTRIBUTES.values(), attributes, strict=True) if present]
    options += [] if can_login else ["LOGIN"]
    options += ["VALID UNTIL 'infinity'"] if expires else []
    changes = [f"ALTER ROLE {option}" for option in options]
    if options or not session.accepts(role, password):
        changes.append("ALTER ROLE PASSWORD")
        options.append(f"PASSWORD {verifier}")
    try:
        with session.transaction():
            if options:
                session.run(f"ALTER ROLE {name} {' '.join(options)}")
            return changes + leave(session, role, member_of) + dismiss(session, role) + take_over(session, role)
    except StatementFailed as error:
        raise GrantsNotExact(
            f"The master user {session.endpoint.user!r} may not alter role {role!r}: {error.message}",
            remedy=f"In the source, as its administrator: GRANT {name} TO {postgres_name(session.endpoint.user)} "
            "WITH ADMIN OPTION; or put the name of a new login into the secret.",
        ) from error


def inherited_logins(session: Writer) -> list[str]:
    """Every role that may log in, but for our own, Amazon's, and superusers, who are Amazon's on Aurora.

    Names that begin with `pg_` are PostgreSQL's own: it lets nobody take one.
    """
    rows = session.run(
        "SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND rolname !~ '^pg_' "
        "AND rolname <> ALL ($1::text[]) AND rolname <> current_user ORDER BY 1",
        list(SERVICE_LOGINS),
    )
    return [row[0] for row in rows]


def set_login(session: Writer, role: str, *, enabled: bool) -> None:
    """Let a role log in, or not. Raises GrantsNotExact where the master may not alter it."""
    try:
        session.run(f"ALTER ROLE {postgres_name(role)} {'LOGIN' if enabled else 'NOLOGIN'}")
    except StatementFailed as error:
        raise GrantsNotExact(
            f"The master user {session.endpoint.user!r} may not disable the login {role!r}: {error.message}",
            remedy=f"Once, in the source, as its administrator: GRANT {postgres_name(role)} TO "
            f"{postgres_name(session.endpoint.user)} WITH ADMIN OPTION; then restore from a newer snapshot. Clusters "
            "upgraded to PostgreSQL 16 need it for each older role: docs/databases.md, \"Prerequisites\".",
        ) from error

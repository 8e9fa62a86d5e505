"""Which roles a PostgreSQL role is a member of, and who is a member of it: rights that no grant shows."""

from __future__ import annotations

from collections.abc import Collection

from aurora_restore.db.failures import GrantsNotExact, StatementFailed
from aurora_restore.db.model import SERVICE_LOGINS
from aurora_restore.db.postgres_rights import Writer
from aurora_restore.db.quoting import postgres_name
from aurora_restore.errors import DatabaseRefused

# Since PostgreSQL 16 every grantor's grant stands by itself.
_MEMBERSHIPS = (
    "SELECT g.rolname, r.rolname, m.admin_option, CASE WHEN current_setting('server_version_num')::int >= 160000 "
    "THEN pg_get_userbyid(m.grantor) END FROM pg_auth_members m "
    "JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles r ON r.oid = m.member "
)


def ensure_memberships(session: Writer, role: str, groups: Collection[str]) -> list[str]:
    """Make `role` a member of exactly `groups`. Returns what was changed.

    Raises DatabaseRefused for a group that does not exist, GrantsNotExact where the master may not grant or revoke.
    """
    try:
        with session.transaction():
            return leave(session, role, groups) + join(session, role, groups)
    except StatementFailed as error:
        raise GrantsNotExact(
            f"The master user {session.endpoint.user!r} may not change the memberships of {role!r}: {error.message}",
            remedy="In the source, as its administrator: GRANT the roles in question TO "
            f"{postgres_name(session.endpoint.user)} WITH ADMIN OPTION; then restore from a newer snapshot.",
        ) from error


def leave(session: Writer, role: str, but: Collection[str] = ()) -> list[str]:
    """Revoke every membership but those in `but`, where it may no longer admit others. For the caller's transaction."""
    changes = []
    for group, _, admits, grantor in session.run(f"{_MEMBERSHIPS} WHERE r.rolname = $1 ORDER BY 1", role):
        if group not in but:
            _revoke(session, group, role, grantor)
            changes.append(f"REVOKE ROLE {group}")
        elif admits:
            _revoke(session, group, role, grantor, "ADMIN OPTION FOR ")
            changes.append(f"REVOKE ADMIN OPTION FOR ROLE {group}")
    return changes


def dismiss(session: Writer, role: str) -> list[str]:
    """Let no member of `role` have its rights but the master and Amazon's own. For the caller's transaction."""
    rows = session.run(
        f"{_MEMBERSHIPS} WHERE g.rolname = $1 AND NOT r.rolsuper AND r.rolname !~ '^pg_' "
        "AND r.rolname <> ALL ($2::text[]) AND r.rolname <> current_user ORDER BY 2",
        role,
        [*SERVICE_LOGINS, "rds_superuser"],
    )
    for _, member, _, grantor in rows:
        _revoke(session, role, member, grantor)
    return [f"REVOKE ROLE FROM {member}" for _, member, *_ in rows]


def join(session: Writer, role: str, groups: Collection[str]) -> list[str]:
    """Make `role` a member of those of `groups` in which it is not. For the caller's transaction.

    Raises DatabaseRefused for a group that does not exist, GrantsNotExact where the master may not admit.
    """
    known = {row[0] for row in session.run("SELECT rolname FROM pg_roles WHERE rolname = ANY ($1::text[])", [*groups])}
    absent = sorted(set(groups) - known)
    if absent:
        raise DatabaseRefused(
            f"There is no role {', '.join(map(repr, absent))} for {role!r} to be a member of.",
            remedy="Correct `member_of` in the request.",
        )
    present = {row[0] for row in session.run(f"{_MEMBERSHIPS} WHERE r.rolname = $1", role)}
    missing = sorted(set(groups) - present)
    for group in missing:
        try:
            session.run(f"GRANT {postgres_name(group)} TO {postgres_name(role)}")
        except StatementFailed as error:
            master = session.endpoint.user
            raise GrantsNotExact(
                f"The master user {master!r} may not make {role!r} a member of {group!r}: {error.message}",
                remedy=f"In the source, as its administrator: GRANT {postgres_name(group)} TO {postgres_name(master)} "
                "WITH ADMIN OPTION; then restore from a newer snapshot.",
            ) from error
    return [f"GRANT ROLE {group}" for group in missing]


def _revoke(session: Writer, group: str, member: str, grantor: str | None, what: str = "") -> None:
    clause = f" GRANTED BY {postgres_name(grantor)}" if grantor else ""
    session.run(f"REVOKE {what}{postgres_name(group)} FROM {postgres_name(member)}{clause} CASCADE")

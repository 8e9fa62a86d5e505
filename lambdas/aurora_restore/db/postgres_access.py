"""Giving a PostgreSQL role exactly the rights of an access level, in one transaction that is all or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from aurora_restore.db.failures import GrantsNotExact, StatementFailed
from aurora_restore.db.model import Access
from aurora_restore.db.postgres_memberships import join
from aurora_restore.db.postgres_rights import Right, Writer, held, schema_owners, wanted
from aurora_restore.db.quoting import postgres_name
from aurora_restore.errors import DatabaseRefused

_TARGETS_PER_STATEMENT = 500
_SHOWN = 5  # objects named in an error; the rest is counted
_OPEN_PUBLIC_SCHEMA = (  # its owner, where everybody may create objects in it
    "SELECT CASE r.rolname WHEN 'pg_database_owner' THEN pg_get_userbyid(b.datdba) ELSE r.rolname END "
    "FROM pg_namespace n "
    "JOIN pg_roles r ON r.oid = n.nspowner JOIN pg_database b ON b.datname = current_database() "
    "CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a "
    "WHERE n.nspname = 'public' AND a.grantee = 0 AND a.privilege_type = 'CREATE'"
)


def ensure_grants(
    session: Writer, role: str, access: Access, schemas: Collection[str], member_of: Collection[str]
) -> list[str]:
    """Give `role`, which owns nothing, exactly `access` to `schemas`, and the roles `member_of`; returns the changes.

    Raises DatabaseRefused for a schema or role that does not exist, GrantsNotExact where the master may not grant or
    revoke.
    """
    absent = sorted(set(schemas) - schema_owners(session, schemas).keys())
    if absent:
        raise DatabaseRefused(
            f"Database {session.endpoint.database!r} has no schema {', '.join(map(repr, absent))}.",
            remedy="Correct `schemas` under users in the request.",
        )
    with session.transaction():
        changes = _close_public_schema(session) + _converge(session, role, wanted(session, access, schemas))
        return changes + join(session, role, member_of)


def revoke_all(session: Writer, role: str) -> list[str]:
    """Take every right in this database from `role`; what it owned passes to the master. Returns what was changed."""
    with session.transaction():
        return take_over(session, role) + _converge(session, role, set())


@contextmanager
def acting_for(session: Writer, owners: Iterable[str]) -> Iterator[None]:
    """Hold the rights of roles that own objects, inside the caller's transaction; memberships end as they were.

    Aurora's master is no superuser. Until PostgreSQL 15 CREATEROLE lets it join any role; since 16 it needs ADMIN
    OPTION on the role, which it has on every role it created itself.
    """
    rows = session.run(
        "SELECT rolname, current_setting('server_version_num')::int >= 160000 FROM pg_roles "
        "WHERE rolname = ANY ($1::text[]) AND NOT rolsuper AND NOT pg_has_role(oid, 'USAGE') ORDER BY 1",
        sorted(set(owners)),
    )
    for owner, has_options in rows:
        try:
            session.run(
                f"GRANT {postgres_name(owner)} TO CURRENT_USER"
                + (" WITH INHERIT TRUE, SET TRUE" if has_options else "")
            )
        except StatementFailed as error:
            master = session.endpoint.user
            raise GrantsNotExact(
                f"The master user {master!r} may not act for role {owner!r}, which owns objects in "
                f"{session.endpoint.database!r}.",
                remedy=f"In the source, as its administrator: GRANT {postgres_name(owner)} TO {postgres_name(master)} "
                "WITH ADMIN OPTION; then restore from a newer snapshot.",
            ) from error
    yield
    for owner, has_options in rows:
        session.run(
            f"REVOKE {postgres_name(owner)} FROM CURRENT_USER" + (" GRANTED BY CURRENT_USER" if has_options else "")
        )


def take_over(session: Writer, role: str) -> list[str]:
    """An owner can do anything with an object, whatever is granted: what the role owns passes to the master user.

    For the caller's transaction. Returns what was changed.
    """
    owned = session.run(
        "SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid "
        "JOIN pg_database b ON b.datname = current_database() "
        "WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o' AND r.rolname = $1 "
        "AND (d.dbid = b.oid OR (d.classid = 'pg_database'::regclass AND d.objid = b.oid)) "
        # Neither is passed on by REASSIGN OWNED, and neither gives a right to anything that exists.
        "AND d.classid NOT IN ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass)",
        role,
    )[0][0]
    if not owned:
        return []
    with acting_for(session, [role]):
        session.run(f"REASSIGN OWNED BY {postgres_name(role)} TO CURRENT_USER")
    return [f"REASSIGN OWNED ({owned} objects)"]


def _close_public_schema(session: Writer) -> list[str]:
    """Until PostgreSQL 14 everybody may create objects in `public`; clusters upgraded from there still say so.

    Raises GrantsNotExact where it stays so: a REVOKE by somebody without the right to it warns and changes nothing.
    """
    rows = session.run(_OPEN_PUBLIC_SCHEMA)
    if not rows:
        return []
    owner, statement = rows[0][0], "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    refused = ""
    with acting_for(session, [owner]):
        try:
            session.run(statement)
        except StatementFailed as error:  # a master without any right to the schema
            refused = f": {error.message}"
    if refused or session.run(_OPEN_PUBLIC_SCHEMA):
        raise GrantsNotExact(
            f"Everybody may create objects in schema public of {session.endpoint.database!r}, and the master user "
            f"{session.endpoint.user!r} cannot end that, because {owner!r} owns the schema{refused}.",
            remedy=f"In the source, in database {session.endpoint.database}, as {owner}: {statement}; or ALTER SCHEMA "
            f"public OWNER TO {postgres_name(session.endpoint.user)}. Where {owner} is Amazon's, ask AWS Support for "
            "it. Then restore from a newer snapshot.",
        )
    return [statement]


def _converge(session: Writer, role: str, goal: set[Right]) -> list[str]:
    have = held(session, role)
    steps = [*_statements("REVOKE", have - goal, role), *_statements("GRANT", goal - have, role)]
    if not steps:
        return []
    with acting_for(session, {right.owner for right in have ^ goal}):
        for summary, statement in steps:
            try:
                session.run(statement)
            except StatementFailed as error:
                raise GrantsNotExact(f"The master user may not {summary} for {role!r}: {error.message}") from error
    wrong = held(session, role) ^ goal
    if wrong:
        listed = sorted(f"{right.privilege} on {right.kind} {right.target}" for right in wrong)
        more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        raise GrantsNotExact(
            f"In {session.endpoint.database!r} the master user cannot put these rights of {role!r} right: "
            f"{'; '.join(listed[:_SHOWN])}{more}."
        )
    return [summary for summary, _ in steps]


def _statements(verb: str, rights: set[Right], role: str) -> Iterator[tuple[str, str]]:
    """Pairs of a summary and a statement, as few as the grammar allows: a thousand tables take two."""
    privileges: dict[tuple[str, str], set[str]] = defaultdict(set)
    for right in rights:
        privileges[right.kind, right.target].add(right.privilege)
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (kind, target), held_there in privileges.items():
        groups[kind, ", ".join(sorted(held_there))].append(target)
    whom = f"TO {postgres_name(role)}" if verb == "GRANT" else f"FROM {postgres_name(role)} CASCADE"
    for (kind, names), targets in sorted(groups.items()):
        targets.sort()
        default = kind.removeprefix("DEFAULT ")
        if default != kind:
            for target in targets:
                yield (
                    f"{verb} {names} ON future {default} {target}",
                    f"ALTER DEFAULT PRIVILEGES {target} {verb} {names} ON {default} {whom}",
                )
            continue
        for start in range(0, len(targets), _TARGETS_PER_STATEMENT):
            part = targets[start : start + _TARGETS_PER_STATEMENT]
            what = part[0] if len(part) == 1 else f"({len(part)})"
            yield f"{verb} {names} ON {kind} {what}", f"{verb} {names} ON {kind} {', '.join(part)} {whom}"

"""What a PostgreSQL login can really do, asked as that login: grants, PUBLIC, memberships and ownership together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from aurora_restore.db.model import Access
from aurora_restore.db.postgres_rights import Session

_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
# Tables of extensions are the extension's business: PostGIS lets everybody read spatial_ref_sys.
_TABLES = (
    "SELECT format('%s.%s', n.nspname, c.relname), n.nspname, p.privilege, has_table_privilege(c.oid, p.privilege) "
    "OR p.privilege = ANY ('{SELECT,INSERT,UPDATE,REFERENCES}') AND has_any_column_privilege(c.oid, p.privilege), "
    "EXISTS (SELECT FROM pg_roles g WHERE g.rolname = ANY ($2::text[]) "
    "AND (has_table_privilege(g.oid, c.oid, p.privilege) "
    "OR p.privilege = ANY ('{SELECT,INSERT,UPDATE,REFERENCES}') "
    "AND has_any_column_privilege(g.oid, c.oid, p.privilege))) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN unnest($1::text[]) AS p (privilege) "
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^(pg_.*|information_schema)$' AND NOT EXISTS "
    "(SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') "
    "ORDER BY 1"
)
_SCHEMAS = (
    "SELECT nspname, has_schema_privilege(oid, 'USAGE'), has_schema_privilege(oid, 'CREATE') "
    "AND NOT EXISTS (SELECT FROM pg_roles g WHERE g.rolname = ANY ($1::text[]) "
    "AND has_schema_privilege(g.oid, n.oid, 'CREATE')) FROM pg_namespace n "
    "WHERE nspname !~ '^(pg_.*|information_schema)$' ORDER BY 1"
)
_ROLE = (
    "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, "
    "has_database_privilege(current_database(), 'CREATE') AND NOT EXISTS (SELECT FROM pg_roles g "
    "WHERE g.rolname = ANY ($1::text[]) AND has_database_privilege(g.oid, current_database(), 'CREATE')) "
    "FROM pg_roles WHERE rolname = current_user"
)
_GROUPS = (
    "SELECT g.rolname, bool_or(m.admin_option) FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid "
    "JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = current_user GROUP BY 1 ORDER BY 1"
)
_ROLE_FINDINGS = (
    "is a superuser",
    "may create databases",
    "may create roles",
    "may replicate",
    "bypasses row security",
    "may create schemas",
)


def deviations(session: Session, access: Access, schemas: Collection[str], member_of: Collection[str]) -> list[str]:
    """Where the current user's real rights differ from `access` to `schemas` and what the roles `member_of` may."""
    groups = sorted(member_of)
    role = session.run(_ROLE, groups)[0]
    findings = [finding for finding, present in zip(_ROLE_FINDINGS, role, strict=True) if present]
    findings += _on_groups(dict(session.run(_GROUPS)), groups)
    for schema, usage, create in session.run(_SCHEMAS, groups):
        if schema in schemas and not usage:
            findings.append(f"may not use schema {schema}")
        if create:
            findings.append(f"may create objects in schema {schema}")
    return findings + _on_tables(session.run(_TABLES, list(_PRIVILEGES), groups), access, schemas)


def _on_groups(held: dict[str, bool], wanted: Collection[str]) -> list[str]:
    return [
        *(f"is a member of {group}" for group in held if group not in wanted),
        *(f"is no member of {group}" for group in wanted if group not in held),
        *(f"may admit others to {group}" for group, admits in held.items() if group in wanted and admits),
    ]


def _on_tables(rows: Iterable[Iterable[object]], access: Access, schemas: Collection[str]) -> list[str]:
    differing: dict[str, list[str]] = defaultdict(list)
    for table, schema, privilege, present, through_a_role in rows:
        expected = schema in schemas and privilege in access.table_privileges
        if present and not expected and not through_a_role:
            differing[f"may {privilege}"].append(str(table))
        if expected and not present:
            differing[f"may not {privilege}"].append(str(table))
    return [
        f"{what} on {tables[0]}" + (f" and {len(tables) - 1} more" if tables[1:] else "")
        for what, tables in differing.items()
    ]

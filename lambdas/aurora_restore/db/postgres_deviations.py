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
    "OR p.privilege = ANY ('{SELECT,INSERT,UPDATE,REFERENCES}') AND has_any_column_privilege(c.oid, p.privilege) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN unnest($1::text[]) AS p (privilege) "
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^(pg_.*|information_schema)$' AND NOT EXISTS "
    "(SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') "
    "ORDER BY 1"
)
_SCHEMAS = (
    "SELECT nspname, has_schema_privilege(oid, 'USAGE'), has_schema_privilege(oid, 'CREATE') FROM pg_namespace "
    "WHERE nspname !~ '^(pg_.*|information_schema)$' ORDER BY 1"
)
_ROLE = (
    "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, "
    "has_database_privilege(current_database(), 'CREATE'), "
    "EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) FROM pg_roles r WHERE rolname = current_user"
)
_ROLE_FINDINGS = (
    "is a superuser",
    "may create databases",
    "may create roles",
    "may replicate",
    "bypasses row security",
    "may create schemas",
    "is a member of another role",
)


def deviations(session: Session, access: Access, schemas: Collection[str]) -> list[str]:
    """Where the current user's real rights differ from `access` to `schemas`; empty when they are exactly that."""
    role = session.run(_ROLE)[0]
    findings = [finding for finding, present in zip(_ROLE_FINDINGS, role, strict=True) if present]
    for schema, usage, create in session.run(_SCHEMAS):
        if schema in schemas and not usage:
            findings.append(f"may not use schema {schema}")
        if create:
            findings.append(f"may create objects in schema {schema}")
    return findings + _on_tables(session.run(_TABLES, list(_PRIVILEGES)), access, schemas)


def _on_tables(rows: Iterable[Iterable[object]], access: Access, schemas: Collection[str]) -> list[str]:
    differing: dict[str, list[str]] = defaultdict(list)
    for table, schema, privilege, present in rows:
        expected = schema in schemas and privilege in access.table_privileges
        if present and not expected:
            differing[f"may {privilege}"].append(str(table))
        if expected and not present:
            differing[f"may not {privilege}"].append(str(table))
    return [
        f"{what} on {tables[0]}" + (f" and {len(tables) - 1} more" if tables[1:] else "")
        for what, tables in differing.items()
    ]

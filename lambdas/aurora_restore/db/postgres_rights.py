"""The rights of one role in one PostgreSQL database: what the catalogs say it holds, and what an access level means."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from aurora_restore.db.model import Access, Endpoint


class Session(Protocol):
    """The part of a connection that reading needs."""

    def run(self, sql: str, *values: object) -> list[list[Any]]:
        """The rows of one statement."""


class Writer(Session, Protocol):
    """The part of a connection that changing roles and rights needs."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the connection leads, and as whom."""

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing."""

    def accepts(self, user: str, password: str) -> bool:
        """Whether a login works."""


@dataclass(frozen=True)
class Right:
    """One privilege on one object. `kind` and `target` are spelt as GRANT takes them, `target` quoted.

    For default privileges `kind` is `DEFAULT <objects>` and `target` the `FOR ROLE ... IN SCHEMA ...` clause.
    """

    kind: str
    target: str
    privilege: str
    owner: str = field(compare=False)
    grantable: bool = False


# What GRANT calls it, its catalog, the prefix of the catalog's columns, which of its rows.
_CATALOGS = (
    ("TABLE", "pg_class", "rel", "o.relkind <> 'S'"),
    ("SEQUENCE", "pg_class", "rel", "o.relkind = 'S'"),
    ("TYPE", "pg_type", "typ", "true"),
    ("ROUTINE", "pg_proc", "pro", "true"),
    ("SCHEMA", "pg_namespace", "nsp", "true"),
    ("DATABASE", "pg_database", "dat", "o.datname = current_database()"),  # others are seen to while connected to them
    ("LANGUAGE", "pg_language", "lan", "true"),
    ("FOREIGN DATA WRAPPER", "pg_foreign_data_wrapper", "fdw", "true"),
    ("FOREIGN SERVER", "pg_foreign_server", "srv", "true"),
    ("LARGE OBJECT", "pg_largeobject_metadata", "lom", "true"),
    ("TABLESPACE", "pg_tablespace", "spc", "true"),
)
_TARGETS = {  # by prefix; the rest is known by its name alone
    "rel": "format('%s.%I', o.relnamespace::regnamespace, o.relname)",
    "typ": "format('%s.%I', o.typnamespace::regnamespace, o.typname)",
    "pro": "format('%s.%I(%s)', o.pronamespace::regnamespace, o.proname, pg_get_function_identity_arguments(o.oid))",
    "lom": "o.oid::text",
}


def _catalog_query(kind: str, catalog: str, prefix: str, rows: str) -> str:
    target = _TARGETS.get(prefix, f"quote_ident(o.{prefix}name)")
    owner = "datdba" if prefix == "dat" else f"{prefix}owner"
    return (
        f"SELECT '{kind}', {target}, a.privilege_type, pg_get_userbyid(o.{owner}), a.is_grantable "
        f"FROM {catalog} o CROSS JOIN LATERAL aclexplode(o.{prefix}acl) a WHERE a.grantee = role.oid AND {rows}"
    )


_COLUMNS = (
    "SELECT 'TABLE', format('%I.%I', n.nspname, c.relname), format('%s (%I)', a.privilege_type, o.attname), "
    "pg_get_userbyid(c.relowner), a.is_grantable FROM pg_attribute o JOIN pg_class c ON c.oid = o.attrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(o.attacl) a WHERE a.grantee = role.oid"
)
_DEFAULTS = (
    "SELECT 'DEFAULT ' || CASE o.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' "
    "WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END, "
    "format('FOR ROLE %I', pg_get_userbyid(o.defaclrole)) || coalesce(format(' IN SCHEMA %I', n.nspname), ''), "
    "a.privilege_type, pg_get_userbyid(o.defaclrole), a.is_grantable "
    "FROM pg_default_acl o LEFT JOIN pg_namespace n ON n.oid = o.defaclnamespace "
    "CROSS JOIN LATERAL aclexplode(o.defaclacl) a WHERE a.grantee = role.oid AND o.defaclrole <> role.oid"
)
# Since PostgreSQL 15 `public` belongs to pg_database_owner, whose only and implicit member is the database's owner.
_HELD = (
    "SELECT kind, target, privilege, "
    "CASE owner WHEN 'pg_database_owner' THEN pg_get_userbyid(datdba) ELSE owner END, grantable "
    "FROM pg_roles role CROSS JOIN LATERAL ({}) AS r (kind, target, privilege, owner, grantable), pg_database "
    "WHERE rolname = $1 AND datname = current_database()"
).format(" UNION ALL ".join([*(_catalog_query(*catalog) for catalog in _CATALOGS), _COLUMNS, _DEFAULTS]))

# Members of extensions belong to the extension: Aurora's own role owns many of them, and nobody else may grant on
# those.
_RELATIONS = (
    "SELECT n.nspname, format('%I.%I', n.nspname, c.relname), c.relkind::text, pg_get_userbyid(c.relowner) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT EXISTS "
    "(SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"
)
_SCHEMA_OWNERS = (
    "SELECT n.nspname, quote_ident(n.nspname), "
    "pg_get_userbyid(CASE WHEN r.rolname = 'pg_database_owner' THEN b.datdba ELSE n.nspowner END) "
    "FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner JOIN pg_database b ON b.datname = current_database() "
    "WHERE n.nspname = ANY ($1::text[])"
)


def held(session: Session, role: str) -> set[Right]:
    """The rights granted to `role` itself in this database; not what ownership, PUBLIC or a membership gives it."""
    return {Right(*row) for row in session.run(_HELD, role)}


def schema_owners(session: Session, schemas: Collection[str]) -> dict[str, str]:
    """Schema -> the role that may grant on it, for those of `schemas` that exist."""
    return {row[0]: row[2] for row in session.run(_SCHEMA_OWNERS, list(schemas))}


def wanted(session: Session, access: Access, schemas: Collection[str]) -> set[Right]:
    """The rights that make up `access` to `schemas`, for every object there and every role that makes more."""
    database, owner, me = session.run(
        "SELECT quote_ident(datname), pg_get_userbyid(datdba), current_user::text "
        "FROM pg_database WHERE datname = current_database()"
    )[0]
    rights = {Right("DATABASE", database, "CONNECT", owner)}
    makers: set[tuple[str, str]] = set()
    for schema, target, schema_owner in session.run(_SCHEMA_OWNERS, list(schemas)):
        rights.add(Right("SCHEMA", target, "USAGE", schema_owner))
        makers |= {(schema, schema_owner), (schema, me)}
    for schema, target, relkind, relation_owner in session.run(_RELATIONS, list(schemas)):
        makers.add((schema, relation_owner))
        if relkind != "S":
            rights |= {Right("TABLE", target, privilege, relation_owner) for privilege in access.table_privileges}
        elif access is Access.READ_WRITE:
            rights.add(Right("SEQUENCE", target, "USAGE", relation_owner))
    superusers = {
        row[0] for row in session.run("SELECT rolname FROM pg_roles WHERE rolsuper AND rolname <> current_user")
    }
    for schema, maker in sorted(makers):
        if maker not in superusers:  # Aurora's own role makes nothing for applications, and nobody may set its defaults
            rights |= _future(session, schema, maker, access)
    return rights


def _future(session: Session, schema: str, maker: str, access: Access) -> set[Right]:
    clause = session.run("SELECT format('FOR ROLE %I IN SCHEMA %I', $1::text, $2::text)", maker, schema)[0][0]
    rights = {Right("DEFAULT TABLES", clause, privilege, maker) for privilege in access.table_privileges}
    if access is Access.READ_WRITE:
        rights.add(Right("DEFAULT SEQUENCES", clause, "USAGE", maker))
    return rights

"""What a PostgreSQL login is and may do after the pipeline set it up, looked at in the server's own catalogs."""

from __future__ import annotations

import contextlib

import pytest

from aurora_restore.db import Access, Database
from aurora_restore.db.failures import GrantsNotExact, LoginRefused, StatementFailed
from aurora_restore.errors import DatabaseRefused
from tests.integration.db.conftest import Connect
from tests.integration.db.servers import MASTER, Server, disown

# Production as it often is: an owner that the master made, tables of the application's own login, a login with too many
# rights.
PRODUCTION = f"""
SET ROLE {MASTER};
CREATE ROLE shop_owner NOLOGIN;
CREATE ROLE staff NOLOGIN;
CREATE ROLE app LOGIN CREATEDB CREATEROLE PASSWORD 'production-password' VALID UNTIL '2020-01-01';
CREATE ROLE legacy LOGIN PASSWORD 'legacy-password';
GRANT staff, shop_owner TO app;
RESET ROLE;
CREATE SCHEMA shop AUTHORIZATION shop_owner;
CREATE SCHEMA private AUTHORIZATION {MASTER};
SET ROLE shop_owner;
CREATE TABLE shop.orders (id serial PRIMARY KEY, email text, placed_at timestamptz);
CREATE VIEW shop.emails AS SELECT email FROM shop.orders;
CREATE FUNCTION shop.purge() RETURNS void LANGUAGE sql AS 'DELETE FROM shop.orders';
REVOKE EXECUTE ON FUNCTION shop.purge() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shop.purge() TO app;
GRANT TRUNCATE, REFERENCES ON shop.orders TO app WITH GRANT OPTION;
SET ROLE {MASTER};
CREATE TABLE private.cards (number text, holder text);
CREATE TABLE public.notes (note text);
GRANT USAGE, CREATE ON SCHEMA private TO app;
GRANT SELECT (holder), UPDATE ON private.cards TO app;
ALTER DEFAULT PRIVILEGES IN SCHEMA private GRANT ALL ON TABLES TO app;
GRANT CREATE, TEMPORARY ON DATABASE shop TO app;
RESET ROLE;
GRANT CREATE ON SCHEMA public TO PUBLIC;
CREATE TABLE shop.drafts (id int);
ALTER TABLE shop.drafts OWNER TO app;
INSERT INTO shop.orders (email, placed_at) VALUES ('a@example.com', now());
"""
CRM = f"SET ROLE {MASTER}; CREATE TABLE public.contacts (name text); GRANT SELECT ON public.contacts TO app;"
ROLES = ("app", "legacy", "reporter", "shop_owner", "staff", "foreign_owner")
CLEAN = f"""
DROP SCHEMA IF EXISTS shop, private CASCADE; DROP TABLE IF EXISTS public.notes, public.contacts; {disown(*ROLES)}
"""
DROP_ROLES = f"DROP ROLE IF EXISTS {', '.join(ROLES)};"
ATTRIBUTES = (
    "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolcanlogin "
    "FROM pg_roles WHERE rolname = "
)
PASSWORD = "pa'ss\"w%s$1\\ :x{}é漢ﬁ"


@pytest.fixture
def production(postgres: Server) -> Server:
    for database in ("shop", "crm"):
        postgres.admin(CLEAN, database)
    postgres.admin(DROP_ROLES, "postgres")
    postgres.admin(PRODUCTION, "shop")
    postgres.admin(CRM, "crm")
    return postgres


@pytest.fixture
def master(production: Server, open_database: Connect) -> Database:
    return open_database(production)


def set_up(master: Database, user: str = "app", access: Access = Access.READ_WRITE) -> list[str]:
    return master.ensure_login(user, PASSWORD) + master.ensure_grants(user, access, ["shop"])


def refused(database: Database, sql: str) -> bool:
    """Whether the server denies the statement to the user of the connection; nothing is kept when it does not."""
    with contextlib.ExitStack() as stack:
        database.run("BEGIN")  # type: ignore[attr-defined]
        stack.callback(database.run, "ROLLBACK")  # type: ignore[attr-defined]
        try:
            database.run(sql)  # type: ignore[attr-defined]
        except StatementFailed as error:
            assert error.state == "42501", error
            return True
    return False


def test_a_production_login_ends_with_exactly_the_wanted_attributes(production: Server, master: Database) -> None:
    set_up(master)
    assert production.admin(f"{ATTRIBUTES} 'app'", "shop") == "f|f|f|f|f|t"
    assert (
        production.admin("SELECT coalesce(rolvaliduntil, 'infinity') FROM pg_roles WHERE rolname = 'app'", "shop")
        == "infinity"
    )
    memberships = "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE rolname = 'app'"
    assert production.admin(memberships, "shop") == "0"


def members_of(server: Server, role: str) -> set[str]:
    sql = (
        "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member "
        f"WHERE m.roleid = '{role}'::regrole AND NOT r.rolsuper AND r.rolname <> '{MASTER}'"
    )
    return set(server.admin(sql, "shop").split())


def test_a_membership_that_is_listed_stays_without_the_right_to_admit_others(
    production: Server, master: Database, open_database: Connect
) -> None:
    production.admin(
        f"SET ROLE {MASTER}; GRANT staff TO app WITH ADMIN OPTION; "
        "GRANT USAGE ON SCHEMA private TO staff; GRANT SELECT ON private.cards TO staff",
        "shop",
    )
    for _ in range(2):
        changes = master.ensure_login("app", PASSWORD, ["staff"])
        changes += master.ensure_grants("app", Access.READ_WRITE, ["shop"], ["staff"])
    assert changes == []
    assert (members_of(production, "staff"), members_of(production, "shop_owner")) == ({"app"}, set())
    app = open_database(production, user="app", password=PASSWORD)
    assert not refused(app, "SELECT * FROM private.cards")
    assert refused(app, "GRANT staff TO legacy")
    assert app.deviations(Access.READ_WRITE, ["shop"], ["staff"]) == []
    assert app.deviations(Access.READ_WRITE, ["shop"]) == ["is a member of staff", "may SELECT on private.cards"]


def test_a_membership_that_is_listed_and_missing_is_made(
    production: Server, master: Database, open_database: Connect
) -> None:
    master.ensure_login("reporter", PASSWORD, ["staff"])
    assert "GRANT ROLE staff" in master.ensure_grants("reporter", Access.READ_ONLY, ["shop"], ["staff"])
    reporter = open_database(production, user="reporter", password=PASSWORD)
    assert reporter.deviations(Access.READ_ONLY, ["shop"], ["staff"]) == []
    production.admin("REVOKE staff FROM reporter CASCADE")
    if "reporter" in members_of(production, "staff"):  # since PostgreSQL 16 a grant is its grantor's
        production.admin(f"REVOKE staff FROM reporter GRANTED BY {MASTER} CASCADE")
    assert reporter.deviations(Access.READ_ONLY, ["shop"], ["staff"]) == ["is no member of staff"]


def test_nobody_has_the_rights_of_a_login_as_its_member(
    production: Server, master: Database, open_database: Connect
) -> None:
    production.admin(f"SET ROLE {MASTER}; GRANT app TO legacy")
    assert "REVOKE ROLE FROM legacy" in set_up(master)
    assert members_of(production, "app") == set()
    assert set_up(master) == []
    assert refused(open_database(production, user="legacy", password="legacy-password"), "SELECT * FROM shop.orders")


def test_a_kept_logins_memberships_are_those_that_are_listed(production: Server, master: Database) -> None:
    production.admin(f"SET ROLE {MASTER}; GRANT shop_owner TO legacy; GRANT SELECT ON private.cards TO legacy", "shop")
    assert master.ensure_memberships("legacy", ["staff"]) == ["REVOKE ROLE shop_owner", "GRANT ROLE staff"]
    assert master.ensure_memberships("legacy", ["staff"]) == []
    assert "legacy" in members_of(production, "staff")
    assert "legacy" not in members_of(production, "shop_owner")
    kept = "SELECT has_table_privilege('legacy', 'private.cards', 'SELECT')"
    assert production.admin(kept, "shop") == "t"


def test_a_role_that_does_not_exist_or_is_out_of_reach_is_named(production: Server, master: Database) -> None:
    with pytest.raises(DatabaseRefused, match="no role 'staf' for 'legacy'"):
        master.ensure_memberships("legacy", ["staf"])
    production.admin("CREATE ROLE foreign_owner NOLOGIN SUPERUSER")
    with pytest.raises(GrantsNotExact, match="'legacy' a member of 'foreign_owner'") as caught:
        master.ensure_memberships("legacy", ["foreign_owner"])
    assert "WITH ADMIN OPTION" in str(caught.value)


def test_its_rights_are_exactly_those_of_read_write(production: Server, master: Database) -> None:
    set_up(master)
    table_rights = (
        "SELECT table_schema, table_name, string_agg(privilege_type, ',' ORDER BY privilege_type), "
        "bool_or(is_grantable = 'YES') "
        "FROM information_schema.table_privileges WHERE grantee = 'app' GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert production.admin(table_rights, "shop").splitlines() == [
        "shop|drafts|DELETE,INSERT,SELECT,UPDATE|f",
        "shop|emails|DELETE,INSERT,SELECT,UPDATE|f",
        "shop|orders|DELETE,INSERT,SELECT,UPDATE|f",
    ]
    assert (
        production.admin("SELECT count(*) FROM information_schema.routine_privileges WHERE grantee = 'app'", "shop")
        == "0"
    )
    owned = "SELECT count(*) FROM pg_shdepend WHERE refobjid = 'app'::regrole AND deptype = 'o'"
    assert production.admin(owned, "shop") == "0"


def test_the_login_can_work_and_nothing_else(production: Server, master: Database, open_database: Connect) -> None:
    set_up(master)
    app = open_database(production, user="app", password=PASSWORD)
    for allowed in (
        "SELECT * FROM shop.emails",
        "INSERT INTO shop.orders (email) VALUES ('b@example.com')",
        "UPDATE shop.orders SET email = NULL",
        "DELETE FROM shop.drafts",
    ):
        assert not refused(app, allowed), allowed
    for denied in (
        "TRUNCATE shop.orders",
        "DROP TABLE shop.drafts",
        "SELECT shop.purge()",
        "SELECT holder FROM private.cards",
        "CREATE TABLE public.mine (id int)",
        "CREATE TABLE private.mine (id int)",
        "CREATE SCHEMA mine",
        "SET ROLE shop_owner",
        "CREATE ROLE other",
    ):
        assert refused(app, denied), denied
    assert app.deviations(Access.READ_WRITE, ["shop"]) == []


def test_a_read_only_login_reads_and_never_writes(production: Server, master: Database, open_database: Connect) -> None:
    set_up(master, "reporter", Access.READ_ONLY)
    reporter = open_database(production, user="reporter", password=PASSWORD)
    assert not refused(reporter, "SELECT * FROM shop.orders")
    for denied in (
        "INSERT INTO shop.orders DEFAULT VALUES",
        "SELECT nextval('shop.orders_id_seq')",
        "DELETE FROM shop.drafts",
    ):
        assert refused(reporter, denied), denied
    assert reporter.deviations(Access.READ_ONLY, ["shop"]) == []


def test_future_tables_of_every_owning_role_are_covered(
    production: Server, master: Database, open_database: Connect
) -> None:
    set_up(master)
    for owner in ("shop_owner", MASTER):
        production.admin(
            f"GRANT ALL ON SCHEMA shop TO {MASTER}; SET ROLE {owner}; CREATE TABLE shop.later_{owner} (id serial)",
            "shop",
        )
        app = open_database(production, user="app", password=PASSWORD)
        assert not refused(app, f"INSERT INTO shop.later_{owner} DEFAULT VALUES")
        assert refused(app, f"TRUNCATE shop.later_{owner}")


def test_a_second_run_changes_nothing(production: Server, master: Database) -> None:
    state = (
        "SELECT rolpassword FROM pg_authid WHERE rolname = 'app' UNION ALL "
        "SELECT relacl::text FROM pg_class WHERE relname = 'orders'"
    )
    assert set_up(master) != []
    before = production.admin(state, "shop")
    assert set_up(master) == []
    assert production.admin(state, "shop") == before


def test_narrowing_read_write_to_read_only_takes_the_rest_away(
    production: Server, master: Database, open_database: Connect
) -> None:
    set_up(master)
    assert master.ensure_grants("app", Access.READ_ONLY, ["shop"]) != []
    app = open_database(production, user="app", password=PASSWORD)
    assert app.deviations(Access.READ_ONLY, ["shop"]) == []
    assert refused(app, "UPDATE shop.orders SET email = NULL")


def test_rights_in_other_databases_are_found_and_taken_away(
    production: Server, master: Database, open_database: Connect
) -> None:
    set_up(master)
    assert master.other_databases_of("app") == ["crm"]
    open_database(production, "crm").revoke_all("app")
    assert master.other_databases_of("app") == []
    assert (
        production.admin("SELECT count(*) FROM information_schema.table_privileges WHERE grantee = 'app'", "crm") == "0"
    )


def test_the_master_is_left_with_the_memberships_it_had(production: Server, master: Database) -> None:
    of_master = f"FROM pg_auth_members WHERE member = '{MASTER}'::regrole ORDER BY 1, 2"
    memberships = f"SELECT roleid::regrole, grantor::regrole {of_master}"
    before = production.admin(memberships, "shop")
    set_up(master)
    assert production.admin(memberships, "shop") == before


@pytest.mark.parametrize(
    "password", [PASSWORD, "x", "p" * 5000, "  spaces  ", "'; DROP ROLE app; --", "%(x)s :x $1 $$"]
)
def test_any_password_logs_in_and_only_that_one(
    production: Server, master: Database, open_database: Connect, password: str
) -> None:
    assert master.ensure_login("legacy", password) == ["ALTER ROLE PASSWORD"]
    open_database(production, user="legacy", password=password)
    for wrong in (password + "x", "legacy-password"):
        with pytest.raises(LoginRefused) as caught:
            open_database(production, user="legacy", password=wrong)
        assert wrong not in str(caught.value)


@pytest.mark.parametrize("password", ["tab\there", "emoji \U0001f600"])
def test_passwords_that_scram_clients_disagree_on_are_refused(master: Database, password: str) -> None:
    with pytest.raises(DatabaseRefused, match="SASLprep") as caught:
        master.ensure_login("legacy", password)
    assert password not in str(caught.value)


def test_the_server_stores_a_verifier_and_logs_no_password(production: Server, master: Database) -> None:
    password = "never-to-be-logged-7391"
    master.ensure_login("legacy", password)
    stored = production.admin("SELECT passwd FROM pg_shadow WHERE usename = 'legacy'", "shop")
    assert stored.startswith("SCRAM-SHA-256$4096:")
    with pytest.raises(StatementFailed):
        master.run("ALTER ROLE nobody_here PASSWORD 'SCRAM-SHA-256$'")  # type: ignore[attr-defined]
    assert "ALTER ROLE" in production.log()  # the log does hold the statements
    assert password not in production.log()
    assert PASSWORD not in production.log()


def test_excess_rights_are_reported_in_words(production: Server, open_database: Connect) -> None:
    production.admin("GRANT SELECT ON shop.orders TO legacy; GRANT UPDATE ON public.notes TO PUBLIC", "shop")
    found = open_database(production, user="legacy", password="legacy-password").deviations(Access.READ_ONLY, ["shop"])
    assert "may create objects in schema public" in found
    assert "may UPDATE on public.notes" in found
    assert "may not use schema shop" in found
    assert "may not SELECT on shop.drafts and 1 more" in found


def test_a_superuser_is_never_made_an_application_login(production: Server, master: Database) -> None:
    with pytest.raises(GrantsNotExact, match="may not alter role 'rdsadmin'"):
        master.ensure_login("rdsadmin", PASSWORD)


def test_the_master_itself_is_refused_as_a_login(master: Database) -> None:
    with pytest.raises(DatabaseRefused, match="master user"):
        master.ensure_login(MASTER, PASSWORD)


def test_an_owner_out_of_the_masters_reach_is_named_with_the_fix(production: Server, master: Database) -> None:
    major = int(master.server_version().split(".")[0])
    production.admin(
        "CREATE ROLE foreign_owner; CREATE TABLE shop.theirs (id int); ALTER TABLE shop.theirs OWNER TO foreign_owner",
        "shop",
    )
    if major < 16:  # there CREATEROLE lets the master join any role
        set_up(master)
        return
    master.ensure_login("app", PASSWORD)
    with pytest.raises(GrantsNotExact, match="'foreign_owner'") as caught:
        master.ensure_grants("app", Access.READ_WRITE, ["shop"])
    assert f'GRANT "foreign_owner" TO "{MASTER}" WITH ADMIN OPTION' in str(caught.value)
    rights = "SELECT count(*) FROM information_schema.table_privileges WHERE grantee = 'app' AND table_name = 'emails'"
    assert production.admin(rights, "shop") == "0", "all or nothing"


def test_a_table_that_nobody_but_a_superuser_may_share_is_named(production: Server, master: Database) -> None:
    production.admin("CREATE TABLE shop.internal (id int)", "shop")
    master.ensure_login("app", PASSWORD)
    with pytest.raises(GrantsNotExact, match=r"may not GRANT .* for 'app': .*internal"):
        master.ensure_grants("app", Access.READ_WRITE, ["shop"])


def test_a_thousand_tables_take_few_statements(production: Server, master: Database) -> None:
    production.admin(
        "DO $$ BEGIN FOR n IN 1..1000 LOOP EXECUTE format('CREATE TABLE shop.t%s (id int)', n); "
        "EXECUTE format('ALTER TABLE shop.t%s OWNER TO shop_owner', n); END LOOP; END $$",
        "shop",
    )
    assert 0 < len(set_up(master, "reporter", Access.READ_ONLY)) < 15
    granted = "SELECT count(*) FROM information_schema.table_privileges WHERE grantee = 'reporter'"
    assert int(production.admin(granted, "shop")) > 1000


def test_a_schema_that_does_not_exist_is_named(master: Database) -> None:
    master.ensure_login("app", PASSWORD)
    with pytest.raises(DatabaseRefused, match="no schema 'shopp'"):
        master.ensure_grants("app", Access.READ_WRITE, ["shop", "shopp"])


def test_names_that_need_quoting(production: Server, master: Database, open_database: Connect) -> None:
    production.admin(
        'CREATE SCHEMA "Shop ""x""; --" AUTHORIZATION shopmaster; SET ROLE shopmaster; '
        'CREATE TABLE "Shop ""x""; --"."Or%der" (id int)',
        "shop",
    )
    user = 'we"ird; DROP'
    try:
        master.ensure_login(user, PASSWORD)
        master.ensure_grants(user, Access.READ_ONLY, ['Shop "x"; --'])
        login = open_database(production, user=user, password=PASSWORD)
        assert login.deviations(Access.READ_ONLY, ['Shop "x"; --']) == []
        assert login.count_rows('Shop "x"; --.Or%der', 5) == 0
    finally:
        production.admin(
            'DROP SCHEMA "Shop ""x""; --" CASCADE; DROP OWNED BY "we""ird; DROP"; DROP ROLE "we""ird; DROP"', "shop"
        )


def test_a_public_schema_that_stays_open_is_told(production: Server, master: Database) -> None:
    """PostgreSQL only warns of a REVOKE without the right to it; PUBLIC's own privilege is enough for the warning."""
    production.admin("ALTER SCHEMA public OWNER TO rdsadmin", "shop")
    try:
        master.ensure_login("app", PASSWORD)
        with pytest.raises(GrantsNotExact, match="'rdsadmin' owns the schema") as caught:
            master.ensure_grants("app", Access.READ_WRITE, ["shop"])
        assert "as rdsadmin: REVOKE CREATE ON SCHEMA public FROM PUBLIC" in str(caught.value)
        production.admin("REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT CREATE ON SCHEMA public TO PUBLIC", "shop")
        production.admin(f"ALTER SCHEMA public OWNER TO {MASTER}", "shop")
        assert "REVOKE CREATE ON SCHEMA public FROM PUBLIC" in master.ensure_grants("app", Access.READ_WRITE, ["shop"])
    finally:
        production.admin("ALTER SCHEMA public OWNER TO pg_database_owner", "shop")
        production.admin("GRANT USAGE ON SCHEMA public TO PUBLIC", "shop")


def test_only_the_services_own_logins_are_left_alone(production: Server, master: Database) -> None:
    service = "rdsproxyadmin, rdsrepladmin, rdstopmgr"
    try:
        for name in f"{service}, rds_reports, rdsreports".split(", "):
            production.admin(f"SET ROLE {MASTER}; CREATE ROLE {name} LOGIN")
        found = master.inherited_logins()
        assert {"rds_reports", "rdsreports"} <= set(found)
        assert not {"rdsadmin", *service.split(", ")} & set(found)
    finally:
        production.admin(f"DROP ROLE IF EXISTS {service}, rds_reports, rdsreports")


def test_a_login_from_before_postgresql_16_is_told_with_the_grant_it_needs(
    production: Server, master: Database
) -> None:
    production.admin("CREATE ROLE foreign_owner LOGIN")
    if int(master.server_version().split(".")[0]) < 16:  # there CREATEROLE is enough
        master.set_login("foreign_owner", enabled=False)
        return
    with pytest.raises(GrantsNotExact, match="may not disable the login 'foreign_owner'") as caught:
        master.set_login("foreign_owner", enabled=False)
    assert f'GRANT "foreign_owner" TO "{MASTER}" WITH ADMIN OPTION' in caught.value.remedy
    production.admin(f'GRANT foreign_owner TO "{MASTER}" WITH ADMIN OPTION')
    master.set_login("foreign_owner", enabled=False)
    assert "foreign_owner" not in master.inherited_logins()

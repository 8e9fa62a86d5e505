"""What a MySQL account is and may do after the pipeline set it up, looked at in the server's own tables."""

from __future__ import annotations

import pytest

from aurora_restore.db import Access, Database
from aurora_restore.db.failures import GrantsNotExact, LoginRefused, StatementFailed
from aurora_restore.errors import DatabaseRefused
from tests.integration.db.conftest import Connect
from tests.integration.db.servers import MASTER, Server

# Production as it often is: an account per host, a role, rights by table and column, a neighbour whose name `_` would
# match.
PRODUCTION = """
DROP DATABASE IF EXISTS shop_eu; DROP DATABASE IF EXISTS shopXeu; DROP DATABASE IF EXISTS private;
DROP USER IF EXISTS app@'%', app@'127.0.0.1', legacy@'%', reporter@'%';
DROP ROLE IF EXISTS staff, readers, foreign_role;
CREATE DATABASE IF NOT EXISTS shop; CREATE DATABASE shop_eu; CREATE DATABASE shopXeu; CREATE DATABASE private;
CREATE TABLE shop_eu.orders (id int); CREATE TABLE shopXeu.orders (id int);
CREATE TABLE private.cards (number text, holder text);
INSERT INTO shop_eu.orders VALUES (1);
CREATE ROLE staff; GRANT staff TO shopmaster@'%' WITH ADMIN OPTION; GRANT ALL ON private.* TO staff;
CREATE USER app@'127.0.0.1' IDENTIFIED BY 'production-password' ACCOUNT LOCK;
GRANT ALL ON *.* TO app@'127.0.0.1' WITH GRANT OPTION;
GRANT SELECT (holder) ON private.cards TO app@'127.0.0.1'; GRANT staff TO app@'127.0.0.1';
SET DEFAULT ROLE staff FOR app@'127.0.0.1';
CREATE USER legacy@'%' IDENTIFIED BY 'legacy-password'; GRANT SELECT ON private.* TO legacy@'%';
"""
PASSWORD = "pa'ss\"w%s$1\\ :x{}é漢😀"


@pytest.fixture
def production(mariadb: Server) -> Server:
    mariadb.admin(PRODUCTION)
    return mariadb


@pytest.fixture
def master(production: Server, open_database: Connect) -> Database:
    return open_database(production, "")


def set_up(master: Database, user: str = "app", access: Access = Access.READ_WRITE) -> list[str]:
    return master.ensure_login(user, PASSWORD) + master.ensure_grants(user, access, ["shop_eu"])


def grants(server: Server, account: str) -> list[str]:
    lines = server.admin(f"SHOW GRANTS FOR {account}").splitlines()
    return [line.split(" TO ")[0] for line in lines if line.startswith("GRANT")]


def test_every_account_of_the_name_has_exactly_the_wanted_rights(production: Server, master: Database) -> None:
    set_up(master)
    for account in ("app@'%'", "app@'127.0.0.1'"):
        assert grants(production, account) == [
            "GRANT USAGE ON *.*",
            r"GRANT SELECT, INSERT, UPDATE, DELETE ON `shop\_eu`.*",
        ]


def test_the_login_can_work_and_nothing_else(production: Server, master: Database, open_database: Connect) -> None:
    set_up(master)
    app = open_database(production, "shop_eu", "app", PASSWORD)
    app.run("INSERT INTO orders VALUES (2)")  # type: ignore[attr-defined]
    assert app.count_rows("orders", 10) == 2
    for denied in (
        "SELECT * FROM shopXeu.orders",
        "SELECT holder FROM private.cards",
        "DROP TABLE orders",
        "CREATE TABLE mine (id int)",
        "CREATE USER x",
    ):
        with pytest.raises(StatementFailed):
            app.run(denied)  # type: ignore[attr-defined]
    assert app.deviations(Access.READ_WRITE, ["shop_eu"]) == []


def test_a_membership_that_is_listed_stays_without_the_right_to_admit_others(
    production: Server, master: Database, open_database: Connect
) -> None:
    production.admin("GRANT staff TO app@'127.0.0.1' WITH ADMIN OPTION")
    for _ in range(2):
        changes = master.ensure_login("app", PASSWORD, ["staff"])
        changes += master.ensure_grants("app", Access.READ_WRITE, ["shop_eu"], ["staff"])
    assert changes == []
    for account in ("app@'%'", "app@'127.0.0.1'"):
        assert "GRANT `staff`" in grants(production, account)
        assert "ADMIN" not in production.admin(f"SHOW GRANTS FOR {account}")
    app = open_database(production, "shop_eu", "app", PASSWORD)
    app.run("SET ROLE staff")  # type: ignore[attr-defined]
    assert app.count_rows("private.cards", 10) == 0
    assert app.deviations(Access.READ_WRITE, ["shop_eu"], ["staff"]) == []
    assert app.deviations(Access.READ_WRITE, ["shop_eu"]) == ["may act as `staff`"]
    app.run("SET ROLE staff")  # type: ignore[attr-defined]
    assert app.deviations(Access.READ_WRITE, ["shop_eu"], ["staff"]) == []


def test_a_kept_logins_memberships_are_those_that_are_listed(production: Server, master: Database) -> None:
    production.admin("CREATE ROLE readers; GRANT readers TO shopmaster@'%' WITH ADMIN OPTION")
    production.admin("GRANT staff TO legacy@'%'")
    assert master.ensure_memberships("legacy", ["readers"]) != []
    assert master.ensure_memberships("legacy", ["readers"]) == []
    assert grants(production, "legacy@'%'") == ["GRANT `readers`", "GRANT USAGE ON *.*", "GRANT SELECT ON `private`.*"]
    with pytest.raises(DatabaseRefused, match="no role 'reader' for 'legacy'"):
        master.ensure_memberships("legacy", ["reader"])


def test_a_read_only_login_reads_and_never_writes(production: Server, master: Database, open_database: Connect) -> None:
    set_up(master, "reporter", Access.READ_ONLY)
    reporter = open_database(production, "shop_eu", "reporter", PASSWORD)
    assert reporter.count_rows("orders", 10) == 1
    production.admin("CREATE TABLE shop_eu.later (id int)")
    assert reporter.count_rows("later", 10) == 0
    with pytest.raises(StatementFailed, match="denied"):
        reporter.run("INSERT INTO orders VALUES (2)")  # type: ignore[attr-defined]
    assert reporter.deviations(Access.READ_ONLY, ["shop_eu"]) == []
    assert reporter.deviations(Access.READ_WRITE, ["shop_eu"]) != []


def test_a_second_run_changes_nothing(production: Server, master: Database) -> None:
    assert set_up(master) != []
    accounts = "SELECT user, host, priv FROM mysql.global_priv WHERE user = 'app'"
    before = production.admin(accounts)
    assert set_up(master) == []
    assert production.admin(accounts) == before


def test_revoking_leaves_an_account_without_rights(production: Server, master: Database) -> None:
    assert master.revoke_all("legacy") != []
    assert grants(production, "legacy@'%'") == ["GRANT USAGE ON *.*"]
    assert master.revoke_all("legacy") == []


@pytest.mark.parametrize("password", [PASSWORD, "x", "p" * 200, "'; DROP USER app; --", "%(x)s :x $1 $$"])
def test_any_password_logs_in_and_only_that_one(
    production: Server, master: Database, open_database: Connect, password: str
) -> None:
    assert master.ensure_login("legacy", password) == ["ALTER USER PASSWORD @%"]
    open_database(production, "", "legacy", password)
    for wrong in (password + "x", "legacy-password"):
        with pytest.raises(LoginRefused):
            open_database(production, "", "legacy", wrong)


def test_the_server_logs_no_password(production: Server, master: Database) -> None:
    password = "never-to-be-logged-7391"
    master.ensure_login("legacy", password)
    assert "ALTER USER 'legacy'" in production.log()  # the log does hold the statements
    assert password not in production.log()
    assert PASSWORD not in production.log()


def test_excess_rights_are_reported_in_words(production: Server, open_database: Connect) -> None:
    found = open_database(production, "", "legacy", "legacy-password").deviations(Access.READ_ONLY, ["shop_eu"])
    assert found == ["may SELECT on `private`.*", r"may not SELECT on `shop\_eu`.*"]


def test_the_master_itself_is_refused_as_a_login(master: Database) -> None:
    with pytest.raises(DatabaseRefused, match="master user"):
        master.ensure_login(MASTER, PASSWORD)


def test_a_role_out_of_the_masters_reach_is_named_with_the_fix(production: Server, master: Database) -> None:
    production.admin("CREATE ROLE foreign_role; GRANT foreign_role TO legacy@'%'")
    with pytest.raises(GrantsNotExact, match="may not change the rights of 'legacy'") as caught:
        master.ensure_grants("legacy", Access.READ_ONLY, ["shop_eu"])
    assert "WITH ADMIN OPTION" in str(caught.value)


def test_a_schema_that_does_not_exist_is_named(master: Database) -> None:
    master.ensure_login("app", PASSWORD)
    with pytest.raises(DatabaseRefused, match="no database 'shopp'"):
        master.ensure_grants("app", Access.READ_WRITE, ["shopp"])


def test_only_the_services_own_accounts_are_left_alone(production: Server, master: Database) -> None:
    names = ("rdsproxyadmin", "rdsrepladmin", "AWS_LAMBDA_ACCESS", "rds_reports", "mysql.reports")
    try:
        for name in names:
            production.admin(f"CREATE USER `{name}`@'%' IDENTIFIED BY 'production'")
        found = set(master.inherited_logins())
        assert {"rds_reports@%", "mysql.reports@%"} <= found
        assert not {f"{name}@%" for name in names[:3]} & found
    finally:
        for name in names:
            production.admin(f"DROP USER IF EXISTS `{name}`@'%'")

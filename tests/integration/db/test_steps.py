"""The three database steps in their order, against real servers: a copy of production becomes an environment."""

from __future__ import annotations

from typing import Any

import pytest

from aurora_restore.db import Database
from aurora_restore.db.failures import LoginRefused
from aurora_restore.errors import VerificationFailed
from aurora_restore.steps import reset_credentials, setup_db_users, verify_restore
from tests.integration.db.conftest import Connect
from tests.integration.db.servers import HOST, MASTER, MASTER_PASSWORD, Server, disown
from tests.unit.lambdas.pipeline import Pipeline
from tests.unit.lambdas.steps.conftest import MASTER_SECRET, Operation

NEW_PASSWORD = "Env'ironment-$1%s"
POSTGRES = f"""
DROP SCHEMA IF EXISTS sales CASCADE; {disown("sales_app", "sales_reader")} DROP ROLE IF EXISTS sales_app, sales_reader;
DROP ROLE IF EXISTS sales_old, "sales 'kept'", sales_clerks, sales_chiefs;
SET ROLE {MASTER}; CREATE ROLE sales_clerks; CREATE ROLE sales_chiefs; CREATE SCHEMA sales;
CREATE ROLE sales_old LOGIN PASSWORD 'production';
CREATE ROLE "sales 'kept'" LOGIN PASSWORD 'production'; GRANT sales_clerks, sales_chiefs TO "sales 'kept'";
CREATE TABLE sales.orders (id serial, placed_at timestamptz);
INSERT INTO sales.orders (placed_at) SELECT now() - interval '2 hours' FROM generate_series(1, 50);
CREATE ROLE sales_app LOGIN PASSWORD 'production'; GRANT ALL ON sales.orders TO sales_app;
GRANT sales_app TO "sales 'kept'"; GRANT sales_chiefs TO sales_app;
RESET ROLE; CREATE TABLE sales.drafts (id int); ALTER TABLE sales.drafts OWNER TO sales_app;
"""
MARIADB = """
CREATE DATABASE IF NOT EXISTS shop; DROP DATABASE IF EXISTS sales; CREATE DATABASE sales; USE sales;
DROP USER IF EXISTS sales_app, sales_reader, sales_old, `sales 'kept'`, shopmaster@'10.%';
CREATE USER sales_old IDENTIFIED BY 'production'; CREATE USER `sales 'kept'` IDENTIFIED BY 'production';
CREATE USER shopmaster@'10.%' IDENTIFIED BY 'production';
CREATE TABLE sales.orders (id int AUTO_INCREMENT PRIMARY KEY, placed_at timestamp NULL);
INSERT INTO sales.orders (placed_at) SELECT now() - interval 2 hour FROM seq_1_to_50;
CREATE USER sales_app IDENTIFIED BY 'production'; GRANT ALL ON sales.* TO sales_app;
DROP ROLE IF EXISTS sales_clerks, sales_chiefs; CREATE ROLE sales_clerks; CREATE ROLE sales_chiefs;
GRANT sales_clerks TO shopmaster@'%' WITH ADMIN OPTION; GRANT sales_chiefs TO shopmaster@'%' WITH ADMIN OPTION;
GRANT sales_chiefs TO sales_app;
GRANT sales_clerks TO `sales 'kept'`; GRANT sales_chiefs TO `sales 'kept'`;
"""

EVENT = "CREATE EVENT mail ON SCHEDULE EVERY 1 DAY DO DO 1"
EVENT_STATE = "SELECT status FROM information_schema.events WHERE event_schema = 'sales'"
SUBSCRIPTION = f"""
CREATE SUBSCRIPTION sales_sub CONNECTION 'host=127.0.0.1 port=1 password=production' PUBLICATION p
WITH (connect = false, enabled = false, create_slot = false, slot_name = 'production_slot');
ALTER SUBSCRIPTION sales_sub ENABLE; UPDATE pg_subscription SET subowner = '{MASTER}'::regrole;
"""
SUBSCRIPTION_STATE = "SELECT subenabled FROM pg_subscription"


@pytest.fixture
def operation(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An operation whose restored cluster is the server; ModifyDBCluster changes its master's password for real."""
    mysql = server.engine == "aurora-mysql"
    server.admin(MARIADB if mysql else POSTGRES, "" if mysql else "shop")
    environment = {"RDS_CA_BUNDLE": str(server.ca_bundle), "LAMBDA_TIMEOUT_SECONDS": "30"}
    made = Operation(pipeline=Pipeline(environment=environment), engine=server.engine)
    made.cluster.update(Endpoint=HOST, Port=server.port, MasterUsername=MASTER)
    made.secrets.put(MASTER_SECRET, {"username": "admin", "password": NEW_PASSWORD})
    for name, access in (("sales_reader", "read_only"), ("sales_app", "read_write")):
        made.secrets.put(name, {"username": name, "password": f"pä's\"%s-{name}"})
        made.users.append(
            {"secret": name, "access": access, "database": "sales" if mysql else "shop", "schemas": ["sales"]}
        )
    made.verify.update(
        database="sales" if mysql else "shop",
        tables=[{"name": "sales.orders", "min_rows": 50, "max_rows": 50}],
        freshness=[{"table": "sales.orders", "column": "placed_at", "max_age_hours": 3}],
        queries=[
            {
                "name": "no orders from the future",
                "sql": "SELECT count(*) = 0 FROM sales.orders WHERE placed_at > now()",
                "expect": True,
            }
        ],
    )
    rds = made.pipeline.rds
    modify = rds._modify_db_cluster

    def apply(**arguments: Any) -> dict[str, Any]:
        set_master_password(server, arguments["MasterUserPassword"])
        return modify(**arguments)

    monkeypatch.setattr(rds, "_modify_db_cluster", apply)
    yield made
    set_master_password(server, MASTER_PASSWORD)


def set_master_password(server: Server, password: str) -> None:
    literal = "'" + password.replace("'", "''") + "'"
    if server.engine == "aurora-mysql":
        server.admin(f"SET PASSWORD FOR {MASTER}@'%' = PASSWORD({literal})")
    else:
        server.admin(f"ALTER ROLE {MASTER} PASSWORD {literal}")


def run_all(operation: Operation) -> dict[str, Any]:
    for _ in range(3):
        operation.results["credentials"] = reset_credentials.run(operation.context, operation.document)
        if operation.results["credentials"]["done"]:
            break
    assert operation.results["credentials"]["done"]
    operation.results["users"] = setup_db_users.run(operation.context, operation.document)
    return verify_restore.run(operation.context, operation.document)


def test_the_steps_end_in_a_verified_environment(server: Server, operation: Operation, open_database: Connect) -> None:
    result = run_all(operation)
    assert {check["name"]: check["passed"] for check in result["checks"]} == {
        "logins": True,
        "user sales_app": True,
        "user sales_reader": True,
        "table sales.orders": True,
        "freshness sales.orders.placed_at": True,
        "query no orders from the future": True,
    }
    database = "sales" if server.engine == "aurora-mysql" else "shop"
    open_database(server, database, MASTER, NEW_PASSWORD)
    with pytest.raises(LoginRefused):
        open_database(server, database, MASTER, MASTER_PASSWORD)
    app: Database = open_database(server, database, "sales_app", "pä's\"%s-sales_app")
    app.run("INSERT INTO sales.orders (placed_at) VALUES (NULL)")  # type: ignore[attr-defined]


def test_a_second_run_of_every_step_changes_nothing(operation: Operation) -> None:
    run_all(operation)
    before = list(operation.pipeline.rds.changes)
    run_all(operation)
    assert [user["changes"] for user in operation.results["users"]["users"]] == [0, 0]
    assert operation.pipeline.rds.changes == before


def test_all_that_is_wrong_with_the_data_is_said_at_once(server: Server, operation: Operation) -> None:
    run_all(operation)
    operation.verify["tables"] = [
        {"name": "sales.orders", "min_rows": 51, "max_rows": None},
        {"name": "sales.absent", "min_rows": 0, "max_rows": None},
    ]
    operation.verify["freshness"][0]["max_age_hours"] = 1
    operation.verify["queries"][0]["expect"] = False
    grant = (
        "GRANT DROP ON sales.* TO sales_reader"
        if server.engine == "aurora-mysql"
        else "GRANT INSERT ON sales.orders TO sales_reader"
    )
    server.admin(grant, "" if server.engine == "aurora-mysql" else "shop")
    with pytest.raises(VerificationFailed, match=r"^\[AR405\] 5 of 7 checks failed\.") as caught:
        verify_restore.run(operation.context, operation.document)
    for part in (
        "50 rows, at least 51",
        "sales.absent",
        "2.0 hours old, at most 1",
        "no orders from the future",
        "user sales_reader: may",
    ):
        assert part in str(caught.value)


def test_nobody_of_production_logs_in_but_who_is_listed(
    server: Server, operation: Operation, open_database: Connect
) -> None:
    operation.credentials["keep_logins"] = ["sales 'kept'"]
    database = "" if server.engine == "aurora-mysql" else "shop"
    run_all(operation)
    disabled = operation.entry("ResetCredentials")["disabled"]
    suffix = "@%" if server.engine == "aurora-mysql" else ""
    assert {f"sales_old{suffix}", f"sales 'kept'{suffix}", f"sales_app{suffix}"} <= set(disabled)
    assert (f"{MASTER}@10.%" in disabled) is (server.engine == "aurora-mysql")
    open_database(server, database, "sales 'kept'", "production")
    with pytest.raises(LoginRefused):
        open_database(server, database, "sales_old", "production")


def test_memberships_end_as_the_request_lists_them(server: Server, operation: Operation) -> None:
    operation.credentials |= {"keep_logins": ["sales 'kept'"], "member_of": {"sales 'kept'": ["sales_clerks"]}}
    operation.users[0]["member_of"] = ["sales_clerks"]
    run_all(operation)
    assert memberships(server) == {("sales_reader", "sales_clerks"), ("sales 'kept'", "sales_clerks")}
    run_all(operation)
    assert [user["changes"] for user in operation.results["users"]["users"]] == [0, 0]


def memberships(server: Server) -> set[tuple[str, ...]]:
    """Who is a member of what, but for the master."""
    if server.engine == "aurora-mysql":
        found = server.admin("SELECT user, role FROM mysql.roles_mapping WHERE user LIKE 'sales%'")
    else:
        found = server.admin(
            "SELECT r.rolname, g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid "
            "JOIN pg_roles r ON r.oid = m.member WHERE r.rolname LIKE 'sales%'"
        )
    return {tuple(line.split("|")) for line in found.splitlines()}


def test_what_production_did_by_itself_has_ended(server: Server, operation: Operation) -> None:
    mysql = server.engine == "aurora-mysql"
    database = "sales" if mysql else "shop"
    server.admin(EVENT if mysql else SUBSCRIPTION, database)
    try:
        run_all(operation)
        expected = "event sales.mail" if mysql else "subscription shop.sales_sub"
        assert operation.results["credentials"]["stopped"] == [expected]
        assert operation.entry("ResetCredentials")["stopped"] == [expected]
        assert server.admin(EVENT_STATE if mysql else SUBSCRIPTION_STATE, database) == ("DISABLED" if mysql else "f")
    finally:
        server.admin("DROP EVENT mail" if mysql else "DROP SUBSCRIPTION sales_sub", database)

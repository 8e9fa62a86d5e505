"""A schema of a thousand tables through every database step, and secrets at the edge of what is allowed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aurora_restore.errors import MaskingIncomplete, SecretMalformed, SecretNotFound, VerificationFailed
from aurora_restore.planning.masking import plan_masking
from aurora_restore.request import parse
from aurora_restore.steps import mask_data, setup_db_users, verify_restore
from aurora_restore.steps.databases import budget_seconds
from tests.integration.db.conftest import Connect
from tests.integration.db.servers import HOST, MASTER, MASTER_PASSWORD, Server, disown
from tests.unit.lambdas.pipeline import Pipeline
from tests.unit.lambdas.steps.conftest import MASTER_SECRET, Operation

TABLES = 1000
HARD_PASSWORD = "a'b\"c%s%%d$1$$e\\f`g;h--iüß€中"
DROP_POSTGRES = f"DROP SCHEMA IF EXISTS wide CASCADE; {disown('wide_app')} DROP ROLE IF EXISTS wide_app, wide_owner;"
POSTGRES = f"""
{DROP_POSTGRES}
CREATE ROLE wide_owner; GRANT wide_owner TO {MASTER} WITH ADMIN OPTION; CREATE SCHEMA wide AUTHORIZATION wide_owner;
SET ROLE wide_owner;
DO $$ BEGIN FOR n IN 1..{TABLES} LOOP
  EXECUTE format('CREATE TABLE wide.t%s (id int PRIMARY KEY, note text)', n);
  EXECUTE format('INSERT INTO wide.t%s VALUES (1, ''fine'')', n);
END LOOP; END $$;
"""
DROP_MARIADB = "DROP DATABASE IF EXISTS wide; DROP USER IF EXISTS wide_app; "
MARIADB = f"{DROP_MARIADB} CREATE DATABASE wide; " + "".join(
    f"CREATE TABLE wide.t{n} (id int PRIMARY KEY, note text) ENGINE=Aria; INSERT INTO wide.t{n} VALUES (1, 'fine');"
    for n in range(1, TABLES + 1)
)


@pytest.fixture(scope="module")
def widened() -> Iterator[dict[int, Server]]:
    """The servers with a thousand tables; they go with the last test here: tests of other files look at every table."""
    servers: dict[int, Server] = {}
    yield servers
    for server in servers.values():
        mysql = server.engine == "aurora-mysql"
        server.admin(DROP_MARIADB if mysql else DROP_POSTGRES, "" if mysql else "shop")


@pytest.fixture
def wide(server: Server, widened: dict[int, Server], tmp_path: Path) -> Operation:
    """A restored cluster with a thousand tables, a masking set and a user."""
    widened[server.port] = server
    mysql = server.engine == "aurora-mysql"
    database = "" if mysql else "shop"
    count = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'wide'"
    if server.admin(count, database) != str(TABLES):  # making them takes longer than everything that is tested
        server.admin(MARIADB if mysql else POSTGRES, database)
    reset = "UPDATE wide.t500 SET note = 'fine'; DELETE FROM wide.t900; INSERT INTO wide.t900 VALUES (1, 'fine')"
    server.admin(reset, database)
    (tmp_path / "wide" / "probes").mkdir(parents=True)
    (tmp_path / "wide" / "010_note.sql").write_text("UPDATE wide.t7 SET note = 'masked';", "utf-8")
    environment = {"RDS_CA_BUNDLE": str(server.ca_bundle), "MASKING_DIRECTORY": str(tmp_path)}
    made = Operation(pipeline=Pipeline(environment=environment), engine=server.engine)
    made.cluster.update(Endpoint=HOST, Port=server.port, MasterUsername=MASTER)
    made.secrets.put(MASTER_SECRET, {"username": MASTER, "password": MASTER_PASSWORD})
    made.secrets.put("app", {"username": "wide_app", "password": HARD_PASSWORD})
    database = "wide" if mysql else "shop"
    made.users.append({"secret": "app", "access": "read_only", "database": database, "schemas": ["wide"]})
    made.credentials["keep_logins"] = _others(server)
    others = [f"{name}.*.*" for name in ("crm", "sales", "public")]  # left by other tests
    request = {
        "source": {"type": "latest_snapshot", "cluster": "orders-prod"},
        "target": {"cluster": "orders-staging"},
        "masking": {"set": "wide", "database": database, "detectors": {"allow": others}},
    }
    made.masking = plan_masking(made.context.settings, parse(request), server.engine)
    made.verify.update(database=database, tables=[{"name": "wide.*", "min_rows": 1, "max_rows": 1}])
    return made


def _others(server: Server) -> list[str]:
    """The logins that other tests left on the shared server."""
    table = "mysql.user" if server.engine == "aurora-mysql" else "pg_user"
    column = "user" if server.engine == "aurora-mysql" else "usename"
    return server.admin(f"SELECT {column} FROM {table}", "").splitlines()


def test_a_thousand_tables_are_masked_granted_and_verified(
    server: Server, wide: Operation, open_database: Connect
) -> None:
    start = time.monotonic()
    masked = mask_data.run(wide.context, wide.document)
    assert masked["done"]
    assert masked["audit"]["tables"] >= TABLES
    setup_db_users.run(wide.context, wide.document)
    report = verify_restore.run(wide.context, wide.document)
    assert {check["name"]: check["detail"] for check in report["checks"]} == {
        "logins": "nobody else may log in",
        "user wide_app": "logs in with exactly read_only access",
        "table wide.*": f"{TABLES} tables",
    }
    assert time.monotonic() - start < budget_seconds(wide.context)
    app: Any = open_database(server, wide.users[0]["database"], "wide_app", HARD_PASSWORD)
    assert app.run("SELECT note FROM wide.t7")[0][0] == "masked"


def test_the_one_table_of_a_thousand_that_is_wrong_is_named(server: Server, wide: Operation) -> None:
    database = "" if server.engine == "aurora-mysql" else "shop"
    server.admin("UPDATE wide.t500 SET note = 'ann@mail.org'; DELETE FROM wide.t900", database)
    with pytest.raises(MaskingIncomplete, match=r"wide\.t500\.note: 1 of 1 rows look like e-mail addresses\."):
        mask_data.run(wide.context, wide.document)
    setup_db_users.run(wide.context, wide.document)
    with pytest.raises(VerificationFailed, match=r"wide\.\*: 1 of 1000 tables: wide\.t900: 0 rows"):
        verify_restore.run(wide.context, wide.document)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, SecretNotFound),
        ("hunter2", SecretMalformed),
        ("[]", SecretMalformed),
        ('{"username": "wide_app"}', SecretMalformed),
        ('{"username": "wide_app", "password": 7}', SecretMalformed),
        ('{"username": "", "password": "x"}', SecretMalformed),
    ],
)
def test_a_secret_that_cannot_be_used_is_named_and_not_shown(
    operation: Operation, content: str | None, error: type[Exception]
) -> None:
    if content is not None:
        operation.secrets.put("app", content)
    operation.users.append({"secret": "app", "access": "read_only", "database": "shop", "schemas": ["wide"]})
    with pytest.raises(error, match="'app'") as caught:
        setup_db_users.run(operation.context, operation.document)
    assert content is None or content not in str(caught.value)


@pytest.fixture
def operation() -> Operation:
    """An operation whose databases are never reached."""
    return Operation()

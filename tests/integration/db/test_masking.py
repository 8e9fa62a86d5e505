"""MaskData against real servers: what is in the tables afterwards, however often it was killed on the way."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aurora_restore.db.statements import Statement
from aurora_restore.errors import DatabaseUnreachable, MaskingChanged, MaskingFailed, MaskingIncomplete
from aurora_restore.masking import runner, search
from aurora_restore.planning.masking import plan_masking
from aurora_restore.request import parse
from aurora_restore.steps import mask_data
from tests.integration.db.conftest import Connect
from tests.integration.db.servers import HOST, MASTER, MASTER_PASSWORD, Server
from tests.unit.lambdas.pipeline import OPERATION, Pipeline
from tests.unit.lambdas.steps.conftest import MASTER_SECRET, Operation

PEOPLE = 250
POSTGRES = f"""
DROP SCHEMA IF EXISTS crm CASCADE; DROP SCHEMA IF EXISTS aurora_restore_masking CASCADE;
DROP ROLE IF EXISTS crm_owner; CREATE ROLE crm_owner; GRANT crm_owner TO {MASTER} WITH ADMIN OPTION;
CREATE SCHEMA crm AUTHORIZATION crm_owner; SET ROLE crm_owner;
CREATE TABLE crm.people (id bigint PRIMARY KEY, email text, phone varchar(40), note jsonb, edits int DEFAULT 0);
INSERT INTO crm.people SELECT 3 * n, 'p' || n || '@mail.org', '+49 30 ' || 1000000 + n, '{{"n": 1}}'
  FROM generate_series(1, {PEOPLE}) n;
CREATE TABLE crm.payments (id int, iban text, card text);
INSERT INTO crm.payments VALUES (1, 'DE89 3704 0044 0532 0130 00', '4111 1111 1111 1111');
"""
MARIADB = f"""
DROP DATABASE IF EXISTS crm; DROP DATABASE IF EXISTS aurora_restore_masking; CREATE DATABASE crm; USE crm;
CREATE TABLE crm.people (id bigint PRIMARY KEY, email text, phone varchar(40), note longtext, edits int DEFAULT 0);
INSERT INTO crm.people SELECT 3 * seq, CONCAT('p', seq, '@mail.org'), CONCAT('+49 30 ', 1000000 + seq), '{{"n": 1}}', 0
  FROM seq_1_to_{PEOPLE};
CREATE TABLE crm.payments (id int, iban text, card text);
INSERT INTO crm.payments VALUES (1, 'DE89 3704 0044 0532 0130 00', '4111 1111 1111 1111');
"""
PEOPLE_SQL = """-- chunk: table=crm.people key=id size=100
UPDATE crm.people SET email = concat('p', id, '@', :domain), phone = NULL, edits = edits + 1
WHERE id BETWEEN :chunk_from AND :chunk_to;
"""
PAYMENTS_SQL = """-- a quote's end; and a colon: neither counts
UPDATE crm.payments SET iban = '100% gone; really :so', card = md5(concat(id, :salt));
INSERT INTO crm.payments VALUES (2, 'new', 'row');
"""
PROBE = "SELECT id FROM crm.people WHERE email LIKE concat('%', :domain) IS NOT TRUE;  -- none may be left"


class Masked:
    """An operation with a masking set, and the way to look at its tables."""

    def __init__(self, server: Server, directory: Path) -> None:
        self.server = server
        self.mysql = server.engine == "aurora-mysql"
        self.directory = directory
        self.detectors: dict[str, Any] = {}
        environment = {"RDS_CA_BUNDLE": str(server.ca_bundle), "MASKING_DIRECTORY": str(directory)}
        self.operation = Operation(pipeline=Pipeline(environment=environment), engine=server.engine)
        self.operation.cluster.update(Endpoint=HOST, Port=server.port, MasterUsername=MASTER)
        self.operation.secrets.put(MASTER_SECRET, {"username": "admin", "password": MASTER_PASSWORD})
        server.admin(MARIADB if self.mysql else POSTGRES, "" if self.mysql else "shop")

    def write(self, name: str, sql: str) -> None:
        path = self.directory / "crm" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sql, "utf-8")

    def plan(self) -> None:
        request = {
            "source": {"type": "latest_snapshot", "cluster": "orders-prod"},
            "target": {"cluster": "orders-staging"},
            "masking": {
                "set": "crm",
                "database": "crm" if self.mysql else "shop",
                "values": {"domain": "it's 100%.invalid"},
                "detectors": self.detectors,
            },
        }
        settings = self.operation.context.settings
        self.operation.masking = plan_masking(settings, parse(request), self.server.engine)

    def step(self) -> dict[str, Any]:
        """One invocation."""
        result = mask_data.run(self.operation.context, self.operation.document)
        self.operation.results["masking"] = {key: value for key, value in result.items() if key != "audit"}
        return result

    def finish(self, limit: int = 50) -> list[dict[str, Any]]:
        """Invocations until it is done, through lost connections as the state machine would."""
        results = []
        for _ in range(limit):
            try:
                results.append(self.step())
            except DatabaseUnreachable:
                continue
            if results[-1]["done"]:
                return results
        raise AssertionError(f"not done after {limit} invocations: {results[-1:]}")

    def look(self, sql: str) -> str:
        return self.server.admin(sql, "" if self.mysql else "shop")

    @property
    def entry(self) -> dict[str, Any]:
        return dict(self.operation.entry("MaskData"))


@pytest.fixture
def masked(server: Server, tmp_path: Path) -> Masked:
    made = Masked(server, tmp_path)
    made.write("010_people.sql", PEOPLE_SQL)
    made.write("020_payments.sql", PAYMENTS_SQL)
    made.write("probes/people.sql", PROBE)
    made.plan()
    return made


def assert_masked(masked: Masked) -> None:
    """Every row, once."""
    assert masked.look("SELECT count(*), min(edits), max(edits), count(phone) FROM crm.people") == f"{PEOPLE}|1|1|0"
    assert masked.look("SELECT email FROM crm.people WHERE id = 3") == "p3@it's 100%.invalid"
    assert masked.look("SELECT count(*) FROM crm.payments WHERE id = 2") == "1"
    assert masked.look("SELECT iban FROM crm.payments WHERE id = 1") == "100% gone; really :so"
    left = "SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'aurora_restore_masking'"
    assert masked.look(left) == "0"


def test_every_row_is_masked_and_the_trail_names_the_files(masked: Masked) -> None:
    (result,) = masked.finish()
    assert_masked(masked)
    assert set(result["audit"]["files"]) == {"010_people.sql", "020_payments.sql", "probes/people.sql"}
    assert all(len(checksum) == 64 for checksum in result["audit"]["files"].values())
    assert result["audit"]["tables"] == 2
    assert masked.step()["done"]  # and a repetition does nothing
    assert_masked(masked)


def test_the_salt_is_the_operations_own_and_not_the_password(masked: Masked) -> None:
    masked.finish()
    card = masked.look("SELECT card FROM crm.payments WHERE id = 1")
    assert len(card) == 32
    assert MASTER_PASSWORD not in masked.look("SELECT card FROM crm.payments")


def test_killed_after_any_statement_it_ends_with_every_row_masked_once(
    masked: Masked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks after the 1st, the 2nd, ... statement of an invocation, in turn, until one gets through."""
    calls = {"left": 0, "next": 0}
    execute = type_of(masked).execute

    def break_off(database: Any, statement: Statement, values: Any) -> Any:
        rows = execute(database, statement, values)
        calls["left"] -= 1
        if calls["left"] == 0:
            database.close()  # the server rolls back, as when the function's process is gone
            raise DatabaseUnreachable("broken off by the test")
        return rows

    monkeypatch.setattr(type_of(masked), "execute", break_off)
    broken = 0
    for number in range(1, 60):
        calls["left"] = number
        try:
            if masked.step()["done"]:
                break
        except DatabaseUnreachable:
            broken += 1
    assert broken > 8
    assert_masked(masked)


def test_what_does_not_fit_into_one_invocation_goes_on_in_the_next(
    masked: Masked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look at the clock takes a while here, so that every invocation gets through a few transactions only."""
    clock = {"now": 0.0}

    def tick() -> float:
        clock["now"] += 60.0
        return clock["now"]

    for module in (mask_data, runner, search):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=tick))
    results = masked.finish()
    assert len(results) > 2
    assert any(result["status"] == "masking, 010_people.sql" and result["percent"] > 0 for result in results[:-1])
    assert [result["percent"] for result in results if "masking" in result["status"]] == sorted(
        result["percent"] for result in results if "masking" in result["status"]
    )
    assert_masked(masked)


def test_a_refused_statement_names_file_and_line_and_undoes_its_transaction(masked: Masked) -> None:
    masked.write("020_payments.sql", "DELETE FROM crm.payments;\n\nUPDATE crm.nosuch SET a = 1;\n")
    masked.plan()
    with pytest.raises(MaskingFailed, match=r"020_payments\.sql \(line 3\).*nosuch"):
        masked.finish()
    rows = "0" if masked.mysql else "1"  # MySQL: a transaction a statement
    assert masked.look("SELECT count(*) FROM crm.payments") == rows


def test_a_statement_that_never_fits_says_what_to_do(masked: Masked, monkeypatch: pytest.MonkeyPatch) -> None:
    sleep = "UPDATE crm.payments SET id = id WHERE SLEEP(30) = 0;" if masked.mysql else "SELECT pg_sleep(30);"
    masked.write("005_slow.sql", sleep)
    masked.plan()
    monkeypatch.setattr(mask_data, "budget_seconds", lambda _context: 1.5)
    with pytest.raises(MaskingFailed, match=r"005_slow\.sql does not fit .* chunks"):
        masked.finish()


def test_a_file_that_changed_after_the_plan_does_not_run(masked: Masked) -> None:
    masked.write("020_payments.sql", PAYMENTS_SQL + "-- harmless?\n")
    with pytest.raises(MaskingChanged, match=r"020_payments\.sql"):
        masked.step()
    assert masked.look("SELECT count(*) FROM crm.people WHERE email LIKE '%@mail.org'") == str(PEOPLE)


def test_what_was_done_in_another_cluster_does_not_count(masked: Masked) -> None:
    masked.finish()
    masked.look(MARIADB if masked.mysql else POSTGRES)
    masked.operation.cluster["DbClusterResourceId"] = "cluster-ANOTHER"
    masked.finish()
    assert_masked(masked)


def test_left_data_stops_the_restore_and_is_named_but_not_shown(masked: Masked) -> None:
    masked.write("020_payments.sql", "UPDATE crm.payments SET id = 7;")
    masked.write("010_people.sql", PEOPLE_SQL.replace("phone = NULL, ", ""))
    masked.write("probes/people.sql", "SELECT id, email FROM crm.people WHERE phone IS NOT NULL")
    masked.plan()
    for _ in range(2):  # and again, when the function died before its error arrived
        with pytest.raises(MaskingIncomplete) as caught:
            masked.step()
    text = str(caught.value)
    for part in (
        f"probes/people.sql: {PEOPLE} rows",
        f"crm.people.phone: {PEOPLE} of {PEOPLE} rows look like phone numbers",
        "crm.payments.card: 1 of 1 rows look like card numbers",
        "crm.payments.iban: 1 of 1 rows look like IBANs",
    ):
        assert part in text
    for data in ("+49", "4111", "DE89", "mail.org"):
        assert data not in text
        assert data not in str(masked.operation.pipeline.store.operations[OPERATION])


def test_columns_on_the_list_may_hold_it(masked: Masked) -> None:
    masked.write("020_payments.sql", "UPDATE crm.payments SET id = 7;")
    masked.detectors = {"allow": ["crm.payments.*"], "sample": None}
    masked.plan()
    assert masked.finish()[-1]["done"]


def test_a_probe_cannot_write(masked: Masked) -> None:
    if not masked.mysql:
        masked.look("CREATE FUNCTION crm.f() RETURNS int LANGUAGE sql AS 'DELETE FROM crm.people RETURNING 1'")
    else:
        masked.look("CREATE FUNCTION crm.f() RETURNS int MODIFIES SQL DATA BEGIN DELETE FROM crm.people; RETURN 1; END")
    masked.write("probes/people.sql", "SELECT crm.f()")
    masked.plan()
    with pytest.raises(MaskingFailed, match=r"probes/people\.sql"):
        masked.finish()
    assert masked.look("SELECT count(*) FROM crm.people") == str(PEOPLE)


def test_a_key_that_is_no_number_is_refused(masked: Masked) -> None:
    masked.write("010_people.sql", PEOPLE_SQL.replace("key=id", "key=email"))
    masked.plan()
    with pytest.raises(MaskingFailed, match="integer column"):
        masked.finish()


def type_of(masked: Masked) -> Any:
    from aurora_restore.db.mysql import MysqlDatabase
    from aurora_restore.db.postgres import PostgresDatabase

    return MysqlDatabase if masked.mysql else PostgresDatabase


def test_members_of_extensions_are_the_extensions_business(postgres: Server, open_database: Connect) -> None:
    """Such as those of pg_cron: another role owns them, and the master may not even use their schema."""
    postgres.admin(
        "CREATE SCHEMA cron; CREATE TABLE cron.job (command text); CREATE TABLE cron.own (command text); "
        "ALTER EXTENSION plpgsql ADD TABLE cron.job",
        "shop",
    )
    try:
        found = {str(table) for table in open_database(postgres).text_tables()}
        assert "cron.own" in found
        assert "cron.job" not in found
    finally:
        postgres.admin("ALTER EXTENSION plpgsql DROP TABLE cron.job; DROP SCHEMA cron CASCADE", "shop")

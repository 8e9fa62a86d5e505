"""What a restored database does by itself ends: replication from production, scheduled jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aurora_restore.db.failures import GrantsNotExact, NotQuiet
from aurora_restore.db.model import Activity
from tests.integration.db.conftest import Connect
from tests.integration.db.servers import MASTER, Server, disown

PUBLISHER = "host=127.0.0.1 port=1 dbname=production user=repl password=production connect_timeout=1"
# As a restore leaves it: enabled, its slot's name kept. Aurora lets its master make subscriptions; here its superuser
# makes them and hands them over in the catalog, because PostgreSQL 15 lets only superusers own one.
SUBSCRIPTION = f"""
CREATE SUBSCRIPTION %s CONNECTION '{PUBLISHER}' PUBLICATION all_tables
WITH (connect = false, enabled = false, create_slot = false, slot_name = 'production_slot');
ALTER SUBSCRIPTION %s ENABLE;
UPDATE pg_subscription SET subowner = '%s'::regrole WHERE subname = '%s';
"""
# The table of pg_cron 1.6 with its grants and its policy, as its extension makes it; pg_cron itself is not installed
# here. UPDATE is what Amazon gives its master user ("Scheduling maintenance with the PostgreSQL pg_cron extension").
CRON = f"""
DROP SCHEMA IF EXISTS cron CASCADE; {disown("reporter")} DROP ROLE IF EXISTS reporter;
CREATE SCHEMA cron; GRANT USAGE ON SCHEMA cron TO {MASTER};
CREATE TABLE cron.job (jobid bigserial PRIMARY KEY, schedule text NOT NULL, command text NOT NULL,
nodename text NOT NULL DEFAULT 'localhost', nodeport int NOT NULL DEFAULT 5432, database text NOT NULL,
username text NOT NULL, active boolean NOT NULL DEFAULT true, jobname text);
GRANT SELECT ON cron.job TO public; GRANT UPDATE ON cron.job TO {MASTER};
ALTER TABLE cron.job ENABLE ROW LEVEL SECURITY;
CREATE POLICY cron_job_policy ON cron.job USING (username = current_user);
INSERT INTO cron.job (schedule, command, database, username, active, jobname) VALUES
('* * * * *', 'CALL mail()', 'crm', '{MASTER}', true, 'mail'),
('* * * * *', 'CALL push()', 'shop', '{MASTER}', true, NULL),
('* * * * *', 'CALL rest()', 'crm', '{MASTER}', false, 'resting');
"""
EVENTS = """
CREATE DATABASE IF NOT EXISTS shop; USE shop; DROP EVENT IF EXISTS `send mail`; DROP EVENT IF EXISTS resting;
CREATE EVENT `send mail` ON SCHEDULE EVERY 1 DAY DO DO 1; CREATE EVENT resting ON SCHEDULE EVERY 1 DAY DISABLE DO DO 1;
"""
# Amazon's procedures, in MariaDB's words: the master has no privilege for the statements themselves.
PROCEDURES = """
CREATE OR REPLACE PROCEDURE mysql.rds_stop_replication() SQL SECURITY DEFINER STOP SLAVE;
CREATE OR REPLACE PROCEDURE mysql.rds_reset_external_source() SQL SECURITY DEFINER RESET SLAVE ALL;
"""


def names(activities: list[Activity]) -> list[str]:
    return [str(activity) for activity in activities]


def subscribe(server: Server, database: str, name: str, owner: str = MASTER) -> None:
    server.admin(SUBSCRIPTION % (name, name, owner, name), database)


@pytest.fixture
def subscriptions(postgres: Server) -> Iterator[Server]:
    """Unsubscribes at the end; in the catalog, where an owner or a slot is in the way."""
    yield postgres
    for database in ("shop", "crm"):
        for name in postgres.admin(
            "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid "
            "WHERE datname = current_database()",
            database,
        ).split():
            postgres.admin(f"ALTER SUBSCRIPTION {name} DISABLE", database)
            postgres.admin(f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)", database)
            postgres.admin(f"DROP SUBSCRIPTION {name}", database)
    postgres.admin("DROP ROLE IF EXISTS replicator")


@pytest.fixture
def cron(postgres: Server) -> Iterator[Server]:
    postgres.admin(CRON, "crm")
    yield postgres
    postgres.admin(f"DROP SCHEMA cron CASCADE; {disown('reporter')} DROP ROLE IF EXISTS reporter", "crm")


def test_subscriptions_of_every_database_end_without_a_word_to_their_publisher(
    subscriptions: Server, open_database: Connect
) -> None:
    subscribe(subscriptions, "shop", "orders_sub")
    subscribe(subscriptions, "crm", "contacts_sub")
    database = open_database(subscriptions)
    found = database.replications()
    assert names(found) == ["subscription crm.contacts_sub", "subscription shop.orders_sub"]
    for activity in found:
        database.stop(activity)
    assert database.replications() == []
    assert subscriptions.admin("SELECT DISTINCT subenabled, subslotname IS NULL FROM pg_subscription") == "f|t"
    subscriptions.admin("DROP SUBSCRIPTION orders_sub", "shop")  # reaches for no publisher


def test_a_disabled_subscription_gives_up_its_slot_too(subscriptions: Server, open_database: Connect) -> None:
    subscribe(subscriptions, "shop", "orders_sub")
    subscriptions.admin("ALTER SUBSCRIPTION orders_sub DISABLE", "shop")
    database = open_database(subscriptions)
    (activity,) = database.replications()
    database.stop(activity)
    assert subscriptions.admin("SELECT subslotname IS NULL FROM pg_subscription") == "t"


def test_the_master_acts_for_the_owner_of_a_subscription(subscriptions: Server, open_database: Connect) -> None:
    subscriptions.admin(f"SET ROLE {MASTER}; CREATE ROLE replicator LOGIN")
    subscribe(subscriptions, "shop", "orders_sub", "replicator")
    database = open_database(subscriptions)
    database.stop(*database.replications())
    assert database.replications() == []
    assert subscriptions.admin("SELECT pg_get_userbyid(subowner) FROM pg_subscription") == "replicator"


def test_a_subscription_of_a_superuser_is_told_with_its_remedy(subscriptions: Server, open_database: Connect) -> None:
    subscribe(subscriptions, "shop", "orders_sub", "rdsadmin")
    database = open_database(subscriptions)
    with pytest.raises(NotQuiet, match=r"may not stop the subscription shop\.orders_sub.*OWNER TO the master user"):
        database.stop(*database.replications())
    assert subscriptions.admin("SELECT subenabled FROM pg_subscription") == "t"


def test_without_pg_cron_there_are_no_jobs(postgres: Server, open_database: Connect) -> None:
    assert open_database(postgres).jobs() == []


def test_jobs_of_pg_cron_are_switched_off(cron: Server, open_database: Connect) -> None:
    database = open_database(cron)
    found = database.jobs()
    assert names(found) == ["cron job crm.2", "cron job crm.mail"]
    for activity in found:
        database.stop(activity)
    assert database.jobs() == []
    assert cron.admin("SELECT count(*) FROM cron.job WHERE active", "crm") == "0"


def test_a_job_that_row_security_hides_from_the_master_is_found_and_told(cron: Server, open_database: Connect) -> None:
    cron.admin(
        f"SET ROLE {MASTER}; CREATE ROLE reporter LOGIN; RESET ROLE; GRANT USAGE ON SCHEMA cron TO reporter; "
        "INSERT INTO cron.job (schedule, command, database, username, jobname) "
        "VALUES ('* * * * *', 'SELECT 1', 'crm', 'reporter', 'report')",
        "crm",
    )
    database = open_database(cron)
    assert "cron job crm.report" in names(database.jobs())
    with pytest.raises(NotQuiet, match=r"the cron job crm\.report: It belongs to somebody else.*jobs\.keep"):
        database.stop(Activity("cron job", "crm", "report"))


def test_jobs_whose_owner_the_master_may_not_act_for_stop_the_restore(cron: Server, open_database: Connect) -> None:
    cron.admin("CREATE ROLE reporter LOGIN; GRANT USAGE ON SCHEMA cron TO reporter", "crm")
    database = open_database(cron)
    if int(cron.admin("SHOW server_version_num")) < 160000:
        assert len(database.jobs()) == 2  # CREATEROLE is enough to look
        return
    with pytest.raises(GrantsNotExact, match='GRANT "reporter" TO'):
        database.jobs()


def test_a_schema_that_the_master_may_not_use_is_told(cron: Server, open_database: Connect) -> None:
    cron.admin(f"REVOKE USAGE ON SCHEMA cron FROM {MASTER}", "crm")
    with pytest.raises(NotQuiet, match=r"may not look for jobs of pg_cron.*GRANT USAGE ON SCHEMA cron"):
        open_database(cron).jobs()


def test_a_job_that_the_master_may_not_change_is_told(cron: Server, open_database: Connect) -> None:
    cron.admin(f"REVOKE UPDATE ON cron.job FROM {MASTER}", "crm")
    with pytest.raises(NotQuiet, match=r"may not stop the cron job crm\.mail"):
        open_database(cron).stop(Activity("cron job", "crm", "mail"))


def test_events_are_disabled(mariadb: Server, open_database: Connect) -> None:
    mariadb.admin(EVENTS)
    database: Any = open_database(mariadb)
    found = database.jobs()
    assert names(found) == ["event shop.send mail"]
    database.stop(*found)
    assert database.jobs() == []
    assert mariadb.admin("SELECT event_name, status FROM information_schema.events ORDER BY 1") == (
        "resting|DISABLED\nsend mail|DISABLED"
    )


def test_an_event_that_the_master_may_not_change_is_told(mariadb: Server, open_database: Connect) -> None:
    with pytest.raises(NotQuiet, match=r"may not stop the event shop\.absent"):
        open_database(mariadb, "").stop(Activity("event", "shop", "absent"))


def test_a_binlog_replica_becomes_nobodys_replica(mariadb: Server, open_database: Connect) -> None:
    mariadb.admin(PROCEDURES)
    mariadb.admin("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=1, MASTER_USER='repl', MASTER_PASSWORD='p'")
    mariadb.admin("START SLAVE")
    try:
        database = open_database(mariadb, "")
        found = database.replications()
        assert names(found) == ["replication binlog.127.0.0.1"]
        database.stop(*found)
        assert database.replications() == []
    finally:
        mariadb.admin("STOP SLAVE")
        mariadb.admin("RESET SLAVE ALL")


def test_what_replicates_cannot_be_hidden(mariadb: Server, open_database: Connect) -> None:
    mariadb.admin(f"REVOKE SLAVE MONITOR ON *.* FROM {MASTER}@'%'")
    try:
        with pytest.raises(NotQuiet, match=r"may not see whether the server replicates.*REPLICATION CLIENT"):
            open_database(mariadb, "").replications()
    finally:
        mariadb.admin(f"GRANT SLAVE MONITOR ON *.* TO {MASTER}@'%'")

"""Clusters hold real databases: what is written is what snapshots, restores, renames and passwords act on."""

from __future__ import annotations

import json
import socket
import ssl

import pg8000.exceptions
import pytest

from .conftest import PASSWORD, Aws


@pytest.fixture
def shop(aws: Aws) -> Aws:
    """An account with a cluster `orders` whose table `t` has 1000 rows."""
    aws.cluster("orders")
    aws.instance("orders-1", "orders")
    with aws.session("orders") as session:
        session.run("CREATE TABLE t AS SELECT id FROM generate_series(1, 1000) AS id")
    return aws


def test_a_restore_holds_the_rows_of_the_snapshot_and_leaves_the_source_alone(shop: Aws) -> None:
    shop.snapshot("before", "orders")
    with shop.session("orders") as session:
        session.run("DELETE FROM t WHERE id > 10")
    shop.rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="restored", SnapshotIdentifier="before", Engine="aurora-postgresql"
    )
    shop.settle("restored")
    shop.instance("restored-1", "restored")
    assert shop.rows("restored") == 1000
    assert shop.rows("orders") == 10


@pytest.mark.parametrize("restore_type", ["full-copy", "copy-on-write"])
def test_a_point_in_time_restore_holds_the_present_rows(shop: Aws, restore_type: str) -> None:
    shop.rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier="clone",
        SourceDBClusterIdentifier="orders",
        UseLatestRestorableTime=True,
        RestoreType=restore_type,
    )
    shop.settle("clone")
    shop.instance("clone-1", "clone")
    with shop.session("orders") as session:
        session.run("DELETE FROM t")
    assert shop.rows("clone") == 1000


def test_a_snapshot_outlives_its_cluster(shop: Aws) -> None:
    shop.rds.delete_db_instance(DBInstanceIdentifier="orders-1")
    shop.rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier="orders-1", WaiterConfig={"Delay": 1})
    shop.rds.delete_db_cluster(DBClusterIdentifier="orders", FinalDBSnapshotIdentifier="last")
    shop.rds.get_waiter("db_cluster_deleted").wait(DBClusterIdentifier="orders", WaiterConfig={"Delay": 1})
    shop.settle_snapshot("last")
    shop.rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="orders", SnapshotIdentifier="last", Engine="aurora-postgresql"
    )
    shop.settle("orders")
    shop.instance("orders-1", "orders")
    assert shop.rows("orders") == 1000


def test_an_endpoint_follows_its_name_through_a_swap(shop: Aws) -> None:
    production = shop.describe("orders")
    shop.cluster("next")
    shop.instance("next-1", "next")
    with shop.session("next") as session:
        session.run("CREATE TABLE t AS SELECT id FROM generate_series(1, 7) AS id")
    for old, new in (("orders", "orders-old"), ("next", "orders")):
        shop.rds.modify_db_cluster(DBClusterIdentifier=old, NewDBClusterIdentifier=new, ApplyImmediately=True)
        shop.settle(new)
    assert shop.describe("orders")["Endpoint"] == production["Endpoint"]
    assert shop.describe("orders-old")["DbClusterResourceId"] == production["DbClusterResourceId"]
    assert shop.rows("orders") == 7
    assert shop.rows("orders-old") == 1000
    members = [member["DBInstanceIdentifier"] for member in shop.describe("orders-old")["DBClusterMembers"]]
    assert members == ["orders-1"]


def test_a_new_master_password_opens_and_the_old_one_no_longer_does(shop: Aws) -> None:
    shop.rds.modify_db_cluster(DBClusterIdentifier="orders", MasterUserPassword="another-1-$%'", ApplyImmediately=True)
    shop.settle("orders")
    assert shop.rows("orders", password="another-1-$%'") == 1000
    with pytest.raises(pg8000.exceptions.DatabaseError, match="password authentication failed"):
        shop.rows("orders", password=PASSWORD)


def test_a_password_set_while_no_server_runs_holds_once_one_does(aws: Aws) -> None:
    aws.cluster("quiet")
    aws.rds.modify_db_cluster(DBClusterIdentifier="quiet", MasterUserPassword="later-on-22", ApplyImmediately=True)
    aws.settle("quiet")
    aws.instance("quiet-1", "quiet")
    with aws.session("quiet", password="later-on-22") as session:
        assert session.run("SELECT current_user") == [["boss"]]


def test_the_master_user_is_what_aurora_makes_it(shop: Aws) -> None:
    with shop.session("orders") as session:
        roles = session.run("SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user")
        member = session.run("SELECT pg_has_role('rds_superuser', 'member'), pg_has_role('pg_monitor', 'member')")
        session.run("CREATE ROLE app LOGIN")
        session.run("GRANT pg_read_all_data TO app")
        with pytest.raises(pg8000.exceptions.DatabaseError, match="permission denied"):
            session.run("CREATE ROLE king SUPERUSER")
    assert roles == [[False, True, True]]
    assert member == [[True, True]]


def test_a_cluster_takes_connections_only_while_it_has_an_instance(aws: Aws) -> None:
    aws.cluster("orders")
    with pytest.raises(pg8000.exceptions.InterfaceError, match="Can't create a connection"):
        aws.rows("orders")
    aws.instance("orders-1", "orders")
    with aws.session("orders") as session:
        assert session.run("SELECT 1") == [[1]]
    aws.rds.delete_db_instance(DBInstanceIdentifier="orders-1")
    with pytest.raises(pg8000.exceptions.InterfaceError, match="Can't create a connection"):
        aws.rows("orders")


def test_reader_and_instance_endpoints_lead_to_the_cluster(shop: Aws) -> None:
    shop.instance("orders-2", "orders")
    found = shop.describe("orders")
    instances = shop.rds.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": ["orders"]}])["DBInstances"]
    addresses = {found["ReaderEndpoint"], *(instance["Endpoint"]["Address"] for instance in instances)}
    assert len(addresses | {found["Endpoint"]}) == 4
    for address in addresses:
        with socket.create_connection((address, found["Port"]), timeout=5):
            pass


def test_a_renamed_instance_serves_under_its_new_name(shop: Aws) -> None:
    shop.rds.modify_db_instance(
        DBInstanceIdentifier="orders-1", NewDBInstanceIdentifier="orders-a", ApplyImmediately=True
    )
    shop.settle_instance("orders-a")
    assert shop.rows("orders") == 1000


def test_without_tls_the_server_turns_clients_away(shop: Aws) -> None:
    found = shop.describe("orders")
    with pytest.raises(pg8000.exceptions.DatabaseError, match="no encryption"):
        pg8000.native.Connection("boss", host=found["Endpoint"], password=PASSWORD, database="shop", ssl_context=False)


def test_only_the_emulators_own_authority_vouches_for_a_cluster(shop: Aws) -> None:
    found = shop.describe("orders")
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError, match="local issuer"):
        pg8000.native.Connection("boss", host=found["Endpoint"], password=PASSWORD, ssl_context=context)


def test_connections_can_be_refused_for_a_test(shop: Aws) -> None:
    shop.control("clusters/orders/refuse_connections", {"refuse": True})
    with pytest.raises(pg8000.exceptions.InterfaceError, match="Can't create a connection"):
        shop.rows("orders")
    shop.control("clusters/orders/refuse_connections", {"refuse": False})
    assert shop.rows("orders") == 1000


def _managed_password(aws: Aws, cluster: str) -> str:
    secret = aws.describe(cluster)["MasterUserSecret"]["SecretArn"]
    value = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    assert value["username"] == "boss"
    return str(value["password"])


def test_a_secret_managed_master_password_opens_the_database(aws: Aws) -> None:
    aws.rds.create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-postgresql",
        MasterUsername="boss",
        ManageMasterUserPassword=True,
        DatabaseName="shop",
    )
    aws.settle("orders")
    aws.instance("orders-1", "orders")
    with aws.session("orders", password=_managed_password(aws, "orders")) as session:
        assert session.run("SELECT 1") == [[1]]
    first = _managed_password(aws, "orders")
    aws.rds.modify_db_cluster(DBClusterIdentifier="orders", RotateMasterUserPassword=True, ApplyImmediately=True)
    aws.settle("orders")
    assert _managed_password(aws, "orders") != first
    with aws.session("orders", password=_managed_password(aws, "orders")) as session:
        assert session.run("SELECT 1") == [[1]]

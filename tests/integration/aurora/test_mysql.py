"""aurora-mysql: the same promises over MariaDB, which stands in for MySQL 8."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
import pytest

from .conftest import PASSWORD, Aws

MYSQL = "aurora-mysql"
_PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"

pytestmark = pytest.mark.skipif(
    shutil.which("mariadbd", path=_PATH) is None, reason="mariadbd is missing: install Debian's mariadb-server-core"
)


@contextmanager
def _session(aws: Aws, cluster: str, password: str = PASSWORD, **options: Any) -> Iterator[Any]:
    found = aws.describe(cluster)
    options.setdefault("ssl", ssl.create_default_context(cafile=str(aws.ca_file)))
    connection = pymysql.connect(
        host=found["Endpoint"], port=found["Port"], user="boss", password=password, database="shop", **options
    )
    try:
        with connection.cursor() as cursor:
            yield cursor
        connection.commit()
    finally:
        connection.close()


def _count(aws: Aws, cluster: str, **options: Any) -> int:
    with _session(aws, cluster, **options) as cursor:
        cursor.execute("SELECT count(*) FROM t")
        return int(cursor.fetchone()[0])


@pytest.fixture
def shop(aws: Aws) -> Aws:
    """An account with a cluster `orders` whose table `t` has 500 rows."""
    aws.cluster("orders", MYSQL)
    aws.instance("orders-1", "orders", MYSQL)
    with _session(aws, "orders") as cursor:
        cursor.execute("CREATE TABLE t (id INT PRIMARY KEY)")
        cursor.execute("INSERT INTO t SELECT seq FROM seq_1_to_500")
    return aws


def test_a_restore_holds_the_rows_and_a_reset_password_opens_it(shop: Aws) -> None:
    with _session(shop, "orders") as open_cursor:
        shop.snapshot("s", "orders")
        open_cursor.execute("DELETE FROM t WHERE id > 5")
    shop.rds.restore_db_cluster_from_snapshot(DBClusterIdentifier="new", SnapshotIdentifier="s", Engine=MYSQL)
    shop.settle("new")
    shop.instance("new-1", "new", MYSQL)
    shop.rds.modify_db_cluster(DBClusterIdentifier="new", MasterUserPassword="different-%'1", ApplyImmediately=True)
    shop.settle("new")
    assert _count(shop, "new", password="different-%'1") == 500
    assert _count(shop, "orders") == 5
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        _count(shop, "new")


def test_a_swap_keeps_endpoint_and_certificate_together(shop: Aws) -> None:
    endpoint = shop.describe("orders")["Endpoint"]
    shop.cluster("next", MYSQL)
    shop.instance("next-1", "next", MYSQL)
    for old, new in (("orders", "orders-old"), ("next", "orders")):
        shop.rds.modify_db_cluster(DBClusterIdentifier=old, NewDBClusterIdentifier=new, ApplyImmediately=True)
        shop.settle(new)
    assert shop.describe("orders")["Endpoint"] == endpoint
    assert _count(shop, "orders-old") == 500
    with _session(shop, "orders") as cursor:
        assert cursor.execute("SHOW TABLES") == 0


def test_without_tls_the_server_turns_clients_away(shop: Aws) -> None:
    with (
        pytest.raises(pymysql.err.OperationalError, match="insecure transport"),
        _session(shop, "orders", ssl=None, ssl_disabled=True),
    ):
        pass


def test_the_master_user_is_no_superuser(shop: Aws) -> None:
    with _session(shop, "orders") as cursor:
        cursor.execute("CREATE USER 'app'@'%' IDENTIFIED BY 'app-password-1'")
        cursor.execute("GRANT SELECT ON shop.* TO 'app'@'%'")
        with pytest.raises(pymysql.err.OperationalError, match="SUPER"):
            cursor.execute("SET GLOBAL max_connections = 5")

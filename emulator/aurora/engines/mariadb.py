"""MariaDB from Debian's packages, standing in for Aurora MySQL."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .base import Database, Engine, EngineUnavailable
from .host import Host, frozen

_ADMIN = "rdsadmin"

_PACKAGE = "Debian's package mariadb-server-core"
_SYSTEM_TABLES = tuple(
    Path("/usr/share/mysql") / name
    for name in ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
)

_OPTIONS = (
    "--skip-networking",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--innodb-flush-method=nosync",
    # An image is a copy of the files of a stopped process: what is committed must be in them, and nobody else write.
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-use-native-aio=0",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
    "--default-time-zone=+00:00",
)

# What Aurora MySQL's master user may do ("Master user account privileges"), in MariaDB's words.
_MASTER_PRIVILEGES = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, "
    "CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, "
    "CREATE USER, EVENT, TRIGGER, REPLICATION CLIENT, SLAVE MONITOR"
)


class MariaDb(Engine):
    """TLS is the server's own here, with a certificate that the front keeps in the run directory."""

    stop_signal = signal.SIGTERM
    abort_signal = signal.SIGKILL
    own_tls = True

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._password = secrets.token_hex(16)

    def check_installed(self) -> None:
        self._program("mariadbd")
        if not _SYSTEM_TABLES[0].exists():
            raise EngineUnavailable(f"aurora-mysql needs {_SYSTEM_TABLES[0]}: install {_PACKAGE}")

    def build_template(self, target: Path) -> None:
        # What mariadb-install-db does, without the client programs that it asks for and Debian packages elsewhere.
        target.mkdir()
        self.host.give(target)
        verifier = native_verifier(self._password)
        script = [
            "CREATE DATABASE mysql;",
            "USE mysql;",
            "SET @auth_root_socket = NULL;",
            *(tables.read_text() for tables in _SYSTEM_TABLES),
            "DELETE FROM mysql.global_priv WHERE user <> 'mariadb.sys';",  # it defines the view mysql.user
            "FLUSH PRIVILEGES;",
            f"GRANT ALL ON *.* TO '{_ADMIN}'@'localhost' IDENTIFIED BY PASSWORD '{verifier}' WITH GRANT OPTION;",
        ]
        self.host.run(
            [*self._server(target), "--bootstrap", "--enforce-storage-engine=", *_OPTIONS], stdin="\n".join(script)
        )

    def command(self, data_dir: Path, run_dir: Path) -> Sequence[str | Path]:
        command = [
            *self._server(data_dir),
            f"--socket={self.socket(run_dir)}",
            f"--tmpdir={run_dir}",
            f"--pid-file={run_dir / 'mariadbd.pid'}",
            *_OPTIONS,
        ]
        if (run_dir / "server.crt").exists():
            command += [f"--ssl-cert={run_dir / 'server.crt'}", f"--ssl-key={run_dir / 'server.key'}"]
        return command

    def socket(self, run_dir: Path) -> Path:
        return run_dir / "mysql.sock"

    def ready(self, data_dir: Path, run_dir: Path) -> bool:
        import pymysql

        try:
            with self._session(run_dir):
                return True
        except pymysql.err.OperationalError:
            return False

    def execute(self, run_dir: Path, sql: str) -> None:
        with self._session(run_dir) as cursor:
            for statement in filter(None, map(str.strip, sql.splitlines())):
                cursor.execute(statement)

    def reload_certificate(self, run_dir: Path) -> None:
        self.execute(run_dir, "FLUSH SSL")

    def image(self, database: Database, target: Path) -> None:
        # A stopped process writes nothing: what is copied is what a power failure would leave, which InnoDB recovers
        # from, and the read lock keeps the tables of other engines whole.
        with self._session(database.run_dir) as cursor:
            cursor.execute("FLUSH TABLES WITH READ LOCK")
            with frozen(database.pid):
                self.host.copy(database.data_dir, target)
            cursor.execute("UNLOCK TABLES")

    def setup_sql(self, username: str, password: str, database: str | None) -> str:
        statements = [
            f"CREATE USER {_text(username)}@'%' IDENTIFIED BY PASSWORD '{native_verifier(password)}';",
            f"GRANT {_MASTER_PRIVILEGES} ON *.* TO {_text(username)}@'%' WITH GRANT OPTION;",
        ]
        if database:
            statements.append(f"CREATE DATABASE `{database}`;")
        return "\n".join(statements)

    def password_sql(self, username: str, password: str) -> str:
        return f"SET PASSWORD FOR {_text(username)}@'%' = '{native_verifier(password)}';"

    @contextmanager
    def _session(self, run_dir: Path) -> Iterator[Any]:
        # Imported here: only this engine needs a driver, and only while it runs.
        import pymysql

        connection = pymysql.connect(
            unix_socket=str(self.socket(run_dir)),
            user=_ADMIN,
            password=self._password,
            autocommit=True,
            connect_timeout=5,
        )
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def _server(self, data_dir: Path) -> list[str | Path]:
        return [self._program("mariadbd"), "--no-defaults", f"--datadir={data_dir}"]

    def _program(self, name: str) -> Path:
        found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        if found is None:
            raise EngineUnavailable(f"aurora-mysql needs {name}: install {_PACKAGE}")
        return Path(found)


def native_verifier(password: str) -> str:
    """The stored form of `password` for mysql_native_password: no server ever sees the password itself."""
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"

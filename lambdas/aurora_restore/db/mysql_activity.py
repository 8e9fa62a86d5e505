"""What a MySQL server does by itself: binary log replication into it, and its scheduled events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aurora_restore.db.failures import NotQuiet, StatementFailed
from aurora_restore.db.model import Activity
from aurora_restore.db.quoting import mysql_name

if TYPE_CHECKING:
    from aurora_restore.db.mysql import MysqlDatabase

REPLICATION, EVENT = "replication", "event"


def replications(database: MysqlDatabase) -> list[Activity]:
    """The server that this one is a binary log replica of, running or not: it would start again with the instance.

    Raises NotQuiet where the master may not see that.
    """
    try:
        rows = database.run("SHOW REPLICA STATUS")
    except StatementFailed as error:
        raise NotQuiet(
            f"The master user {database.endpoint.user!r} may not see whether the server replicates: {error.message}",
            remedy="Give the source's master user REPLICATION CLIENT, which RDS gives it; then restore from a newer "
            "snapshot.",
        ) from error
    return [Activity(REPLICATION, "binlog", str(row[1])) for row in rows]  # the second column is the source's host


def jobs(database: MysqlDatabase, own_schemas: tuple[str, ...]) -> list[Activity]:
    """The events that are enabled, without those of the service itself."""
    rows = database.run(
        "SELECT event_schema, event_name FROM information_schema.events WHERE status = 'ENABLED' "
        "AND event_schema NOT IN %s ORDER BY 1, 2",
        own_schemas,
    )
    return [Activity(EVENT, *row) for row in rows]


def stop(database: MysqlDatabase, activity: Activity) -> None:
    """Make the server nobody's replica, or disable an event. Raises NotQuiet."""
    try:
        if activity.kind == REPLICATION:
            database.run("CALL mysql.rds_stop_replication")  # Amazon's: its master lacks the privilege for STOP REPLICA
            database.run("CALL mysql.rds_reset_external_source")
        else:
            database.run(f"ALTER EVENT {mysql_name(activity.database)}.{mysql_name(activity.name)} DISABLE")
    except StatementFailed as error:
        raise NotQuiet(
            f"The master user {database.endpoint.user!r} may not stop the {activity}: {error.message}",
            remedy="Give the source's master user the right to (EVENT on the schema, EXECUTE on the named procedure), "
            "or stop it in the source; then restore from a newer snapshot.",
        ) from error

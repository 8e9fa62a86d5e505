"""What a PostgreSQL server does by itself: logical replication into it, and the jobs of pg_cron."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aurora_restore.db.failures import NotQuiet, StatementFailed
from aurora_restore.db.model import Activity
from aurora_restore.db.postgres_access import acting_for
from aurora_restore.db.quoting import postgres_name

if TYPE_CHECKING:
    from aurora_restore.db.postgres import PostgresDatabase

SUBSCRIPTION, CRON_JOB = "subscription", "cron job"
# One that is disabled but has its slot counts, too: dropping it would drop the slot at the publisher.
_SUBSCRIPTIONS = (
    "SELECT d.datname, s.subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid "
    "WHERE s.subenabled OR s.subslotname IS NOT NULL ORDER BY 1, 2"
)
# README of pg_cron: one database of the cluster holds the jobs, `postgres` unless cron.database_name says otherwise.
_CRON_DATABASE = (
    "SELECT datname FROM pg_database WHERE datallowconn "
    "AND datname = coalesce(current_setting('cron.database_name', true), 'postgres')"
)
_HAS_CRON = (
    "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = 'cron' AND c.relname = 'job'"
)
_JOBS = "SELECT coalesce(jobname::text, jobid::text) FROM cron.job WHERE active ORDER BY jobid"
# Row security shows everybody only his own jobs; whoever has some may use the schema.
_OTHERS = (
    "SELECT rolname FROM pg_roles WHERE row_security_active('cron.job') AND NOT rolsuper AND rolname !~ '^pg_' "
    "AND rolname <> current_user AND has_schema_privilege(oid, 'cron', 'USAGE') AND rolcanlogin ORDER BY 1"
)


def replications(session: PostgresDatabase) -> list[Activity]:
    """The subscriptions of all databases that are enabled, or that hold a slot at their publisher."""
    return [Activity(SUBSCRIPTION, *row) for row in session.run(_SUBSCRIPTIONS)]


def jobs(session: PostgresDatabase) -> list[Activity]:
    """The active jobs of pg_cron, whoever owns them. Raises NotQuiet where they cannot be seen."""
    found: set[str] = set()
    for (name,) in session.run(_CRON_DATABASE):
        with session.beside(name) as cron:
            if not cron.run(_HAS_CRON):
                continue
            try:
                found.update(row[0] for row in cron.run(_JOBS))
                for (owner,) in cron.run(_OTHERS):
                    found |= _jobs_of(cron, owner)
            except StatementFailed as error:
                raise NotQuiet(
                    f"The master user {session.endpoint.user!r} may not look for jobs of pg_cron: {error.message}",
                    remedy=f"In the source, in database {name}: GRANT USAGE ON SCHEMA cron TO "
                    f"{postgres_name(session.endpoint.user)}; then restore from a newer snapshot. "
                    'Or let jobs.keep be ["*"].',
                ) from error
        return [Activity(CRON_JOB, name, job) for job in sorted(found)]
    return []


def stop(session: PostgresDatabase, activity: Activity) -> None:
    """End a subscription without a word to its publisher, or switch a job off. Raises NotQuiet, GrantsNotExact."""
    with session.beside(activity.database) as there:
        end = _end_subscription if activity.kind == SUBSCRIPTION else _switch_off
        try:
            end(there, activity)
        except StatementFailed as error:
            raise NotQuiet(
                f"The master user {session.endpoint.user!r} may not stop the {activity}: {error.message}",
                remedy=_REMEDIES[activity.kind],
            ) from error


_REMEDIES = {
    SUBSCRIPTION: "In the source, as its owner: ALTER SUBSCRIPTION ... OWNER TO the master user; then restore from a "
    "newer snapshot.",
    CRON_JOB: "In the source, let the master user own the job, or grant it UPDATE on cron.job; then restore from a "
    "newer snapshot. Or keep the job by naming it under jobs.keep in the request.",
}


def _end_subscription(session: PostgresDatabase, activity: Activity) -> None:
    """Disabled first: an enabled one may not lose its slot's name."""
    name = postgres_name(activity.name)
    owners = session.run(
        "SELECT pg_get_userbyid(s.subowner) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid "
        "WHERE s.subname = $1 AND d.datname = current_database()",
        activity.name,
    )
    with session.transaction(), acting_for(session, [row[0] for row in owners]):
        session.run(f"ALTER SUBSCRIPTION {name} DISABLE")
        session.run(f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")


def _switch_off(session: PostgresDatabase, activity: Activity) -> None:
    """The way that Amazon documents for changing jobs of others; what row security hides stays unchanged."""
    changed = session.run(
        "UPDATE cron.job SET active = false WHERE coalesce(jobname::text, jobid::text) = $1 RETURNING jobid",
        activity.name,
    )
    if not changed:
        raise StatementFailed("It belongs to somebody else.")


def _jobs_of(session: PostgresDatabase, owner: str) -> set[str]:
    with session.transaction(), acting_for(session, [owner]):
        session.run(f"SET LOCAL ROLE {postgres_name(owner)}")
        found = {row[0] for row in session.run(_JOBS)}
        session.run("RESET ROLE")
    return found

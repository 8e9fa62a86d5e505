"""VerifyRestore: nothing is swapped before the restored data has been looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from itertools import chain
from typing import Any

from aurora_restore.aws.rds_types import Cluster
from aurora_restore.aws.secrets import Credentials
from aurora_restore.context import Context
from aurora_restore.db import Access, Database
from aurora_restore.errors import DatabaseRefused, VerificationFailed
from aurora_restore.steps.databases import budget_seconds, master_login, new_cluster, open_as, open_master
from aurora_restore.steps.progress import require_lock
from aurora_restore.steps.setup_db_users import credentials_of
from aurora_restore.verification import (
    CheckFailed,
    check_extension,
    check_freshness,
    check_logins,
    check_query,
    check_recorded,
    check_schema,
    check_table,
    check_tables,
    check_user,
    recorded_counts,
)

Check = Callable[[], str]  # says in words what it found, raises CheckFailed or the database's error
STEP = "VerifyRestore"
_LEAST_SECONDS = 1
_SHOWN = 20  # checks that the document and an error's text have room for; the journal and the audit trail have all


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Run every check, then raise VerificationFailed that lists all that failed. A detail never holds data.

    Raises DatabaseUnreachable (retried by the state machine) when no connection can be made or one breaks.
    """
    plan = document["plan"]
    require_lock(context, plan)
    cluster = new_cluster(context, plan)
    master = master_login(context, plan, cluster)
    end = time.monotonic() + budget_seconds(context)
    with closing(open_master(context, cluster, master, plan["verify"]["database"])) as database:
        version = database.server_version()
        checks = chain(
            _user_checks(context, cluster, database, plan), _data_checks(database, cluster.engine, plan["verify"])
        )
        results = [_measured(name, check, database, end) for name, check in checks]
    failed = [f"{result['name']}: {result['detail']}" for result in results if not result["passed"]]
    context.logger.info("verified", extra={"checks": results})
    # The report stands in the journal, failed or not; the document has room for some of it only.
    phase = "failed" if failed else "made"
    context.store.journal(plan["operation_id"], STEP, {"phase": phase, "server_version": version, "checks": results})
    if failed:
        more = f" | and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
        raise VerificationFailed(f"{len(failed)} of {len(results)} checks failed. {' | '.join(failed[:_SHOWN])}{more}")
    seconds = round(sum(result["seconds"] for result in results), 3)
    report = {"server_version": version, "passed": len(results), "seconds": seconds, "checks": results[:_SHOWN]}
    return {**report, "audit": {**report, "checks": results}}


def _user_checks(
    context: Context, cluster: Cluster, database: Database, plan: Mapping[str, Any]
) -> Iterator[tuple[str, Check]]:
    logins = credentials_of(context, plan["users"])
    allowed = {*plan["credentials"]["keep_logins"], *(login.username for login in logins)}
    yield "logins", partial(check_logins, database, allowed)
    for login, user in zip(logins, plan["users"], strict=True):
        yield f"user {login.username}", partial(_check_login, context, cluster, login, user)


def _check_login(context: Context, cluster: Cluster, login: Credentials, user: Mapping[str, Any]) -> str:
    with closing(open_as(context, cluster, login, user["database"])) as database:
        return check_user(database, Access(user["access"]), user["schemas"], user.get("member_of", ()))


def _data_checks(database: Database, engine: str, verify: Mapping[str, Any]) -> Iterator[tuple[str, Check]]:
    for name in verify["schemas"]:
        yield f"schema {name}", partial(check_schema, database, name)
    for name in verify["extensions"]:
        yield f"extension {name}", partial(check_extension, database, name)
    for table in verify["tables"]:
        check = check_tables if "*" in table["name"] else check_table
        yield f"table {table['name']}", partial(check, database, table)
    if verify["baseline"]:
        yield from _recorded_checks(database, engine, verify["baseline"])
    for freshness in verify["freshness"]:
        yield f"freshness {freshness['table']}.{freshness['column']}", partial(check_freshness, database, freshness)
    for query in verify["queries"]:
        yield f"query {query['name']}", partial(check_query, database, query)


def _recorded_checks(database: Database, engine: str, baseline: Mapping[str, Any]) -> Iterator[tuple[str, Check]]:
    """One check that the record can be read, then one for each table in it."""
    counts: dict[str, int] = {}

    def read() -> str:
        counts.update(recorded_counts(database, engine, baseline))
        return f"{len(counts)} tables recorded"

    yield f"baseline {baseline['table']}", read
    for name, count in sorted(counts.items()):
        yield f"baseline {name}", partial(check_recorded, database, name, count, baseline["tolerance_percent"])


def _measured(name: str, check: Check, database: Database, end: float) -> dict[str, Any]:
    """Run one check with what is left of the invocation's time: one slow statement fails itself, not the function."""
    start = time.monotonic()
    try:
        if end - start < _LEAST_SECONDS:
            raise CheckFailed("not run: the time of the function was used up by the checks before it")
        database.limit_statements(end - start)
        passed, detail = True, check()
    except (CheckFailed, ValueError) as error:
        passed, detail = False, str(error)
    except DatabaseRefused as error:
        passed, detail = False, error.message
    return {"name": name, "passed": passed, "seconds": round(time.monotonic() - start, 3), "detail": detail}

"""VerifyRestore: nothing is swapped before the restored data has been looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from aurora_restore.aws.rds_types import Cluster
from aurora_restore.aws.secrets import Credentials
from aurora_restore.context import Context
from aurora_restore.db import Access, Database
from aurora_restore.errors import DatabaseRefused, VerificationFailed
from aurora_restore.steps.databases import budget_seconds, master_login, new_cluster, open_as, open_master
from aurora_restore.steps.setup_db_users import credentials_of
from aurora_restore.verification import CheckFailed, check_freshness, check_query, check_table, check_user

Check = Callable[[], str]  # says in words what it found, raises CheckFailed or the database's error
_LEAST_SECONDS = 1


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Run every check, then raise VerificationFailed that lists all that failed. A detail never holds data.

    Raises DatabaseUnreachable (retried by the state machine) when no connection can be made or one breaks.
    """
    plan = document["plan"]
    cluster = new_cluster(context, plan)
    master = master_login(context, plan, cluster)
    end = time.monotonic() + budget_seconds(context)
    with closing(open_master(context, cluster, master, plan["verify"]["database"])) as database:
        version = database.server_version()
        checks = [*_user_checks(context, cluster, plan), *_data_checks(database, plan["verify"])]
        results = [_measured(name, check, database, end) for name, check in checks]
    failed = [f"{result['name']}: {result['detail']}" for result in results if not result["passed"]]
    context.logger.info("verified", extra={"checks": results})
    if failed:
        raise VerificationFailed(f"{len(failed)} of {len(results)} checks failed. {' | '.join(failed)}")
    return {"server_version": version, "checks": results, "audit": {"checks": results}}


def _user_checks(context: Context, cluster: Cluster, plan: Mapping[str, Any]) -> Iterator[tuple[str, Check]]:
    for login, user in zip(credentials_of(context, plan["users"]), plan["users"], strict=True):
        yield f"user {login.username}", partial(_check_login, context, cluster, login, user)


def _check_login(context: Context, cluster: Cluster, login: Credentials, user: Mapping[str, Any]) -> str:
    with closing(open_as(context, cluster, login, user["database"])) as database:
        return check_user(database, Access(user["access"]), user["schemas"])


def _data_checks(database: Database, verify: Mapping[str, Any]) -> Iterator[tuple[str, Check]]:
    for table in verify["tables"]:
        yield f"table {table['name']}", partial(check_table, database, table)
    for freshness in verify["freshness"]:
        yield f"freshness {freshness['table']}.{freshness['column']}", partial(check_freshness, database, freshness)
    for query in verify["queries"]:
        yield f"query {query['name']}", partial(check_query, database, query)


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

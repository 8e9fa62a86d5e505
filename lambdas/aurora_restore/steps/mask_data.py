"""MaskData: take personal data out of the new cluster before anybody can log in to it, and prove that none is left."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from aurora_restore.aws.rds_types import Cluster
from aurora_restore.aws.secrets import Credentials
from aurora_restore.context import Context
from aurora_restore.db import Database
from aurora_restore.errors import MaskingFailed, MaskingIncomplete
from aurora_restore.masking.runner import Runner
from aurora_restore.masking.scripts import MaskingSet, load, require_unchanged
from aurora_restore.masking.search import OutOfTime, run_probe, search, tables_to_search
from aurora_restore.steps.databases import budget_seconds, master_login, new_cluster, open_master
from aurora_restore.steps.progress import finished, require_lock, waiting

STEP = "MaskData"
_SHOWN = 20  # findings named in an error; the rest is counted
_SEARCHING = "looking for personal data"


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Run the masking files, then the probes and detectors, as far as one invocation reaches; `done` at the end.

    Raises MaskingChanged, MaskingFailed, MaskingIncomplete, DatabaseUnreachable (retried), DatabaseRefused
    and WaitTimedOut.
    """
    plan = document["plan"]
    masking = plan["masking"]
    require_lock(context, plan)
    since = int(document.get("masking", {}).get("since", context.now()))
    end = time.monotonic() + budget_seconds(context)
    found = load(context.settings.masking_directory, masking["set"], plan["restore"]["engine"], masking["values"])
    require_unchanged(found, masking["files"])
    cluster = new_cluster(context, plan)
    entry = _journalled(context, plan, cluster)
    if entry["phase"] != "made":
        master = master_login(context, plan, cluster)
        values = {**masking["values"], "salt": _salt(master, plan["operation_id"])}
        with closing(open_master(context, cluster, master, masking["database"])) as database:
            entry = _advance(context, plan, database, found, values, entry, end)
    if entry["phase"] != "made":
        seen = {"status": entry["status"], "percent": entry["percent"]}
        # The work goes on at once: each call is worth a whole invocation, whatever the time since the first.
        return {**seen, **waiting(context, plan, entry["status"], since=context.now()), "since": since}
    if entry["findings"]:
        raise _incomplete(entry["findings"])
    report = {"set": masking["set"], "files": masking["files"], "tables": entry["tables"], "rows": entry["rows"]}
    status = f"files run: {len(found.scripts)}, tables without personal data: {entry['tables']}"
    return {"status": status, "percent": 100, "audit": report, **finished(context, since)}


def _advance(
    context: Context,
    plan: Mapping[str, Any],
    database: Database,
    found: MaskingSet,
    values: Mapping[str, object],
    entry: dict[str, Any],
    end: float,
) -> dict[str, Any]:
    """One invocation's worth; returns the journal's new entry."""
    began = entry["phase"]  # what this invocation has all of its time for
    runner = Runner(database, plan["restore"]["engine"], values, end)
    if entry["phase"] in ("intended", "masking"):
        _journal(context, plan, entry)
        progress = runner.advance(found)
        if not progress.done:
            changes = {"phase": "masking", "status": f"masking, {progress.script}", "percent": progress.percent}
            return _journal(context, plan, {**entry, **changes})
        # From here on nothing is masked again, so the ledger may go.
        entry = _journal(context, plan, {**entry, "phase": "masked", "status": _SEARCHING, "percent": 0})
    if entry["phase"] == "masked":
        runner.forget()
        findings = _probe(database, found, values, end, fresh=began == "masked")
        if findings is None:
            return entry
        counts = {"after": "", "tables": 0, "rows": 0, "findings": findings}
        entry = _journal(context, plan, {**entry, "phase": "searching", **counts})
    return _search(context, plan, database, entry, end, fresh=began == "searching")


def _probe(
    database: Database, found: MaskingSet, values: Mapping[str, object], end: float, *, fresh: bool
) -> list[str] | None:
    """What the probes find; all run in one invocation, None where that has to be the next one."""
    findings = []
    for probe in found.probes:
        try:
            rows = run_probe(database, probe, values, end)
        except OutOfTime:
            if not fresh:
                return None
            raise MaskingFailed(
                f"{probe.name} does not fit into the time of one invocation of the function.",
                remedy="Make the probe faster (an index, LIMIT 1), or give mask-data a longer timeout in "
                "lambda_overrides.",
            ) from None
        if rows:
            findings.append(f"{probe.name}: {rows} rows")
    return findings


def _search(
    context: Context, plan: Mapping[str, Any], database: Database, entry: dict[str, Any], end: float, *, fresh: bool
) -> dict[str, Any]:
    """Look through table after table, by name, from where the last invocation ended."""
    detectors = plan["masking"]["detectors"]
    tables = tables_to_search(database, detectors["allow"])
    for number, table in enumerate(tables):
        if str(table) <= entry["after"]:
            continue
        try:
            rows, findings = search(database, table, detectors["kinds"], detectors["sample"], end)
        except OutOfTime:
            if fresh:
                raise MaskingFailed(
                    f"{table} cannot be looked through in the time of one invocation of the function.",
                    remedy="Give masking.detectors.sample a number of rows, or mask-data a longer timeout in "
                    "lambda_overrides.",
                ) from None
            entry["percent"] = int(100 * number / len(tables))
            return _journal(context, plan, entry)
        fresh = False
        entry["after"], entry["tables"], entry["rows"] = str(table), entry["tables"] + 1, entry["rows"] + rows
        entry["findings"] += findings
    return _journal(context, plan, {**entry, "phase": "made", "percent": 100})


def _incomplete(findings: list[str]) -> MaskingIncomplete:
    more = f"; and {len(findings) - _SHOWN} more" if len(findings) > _SHOWN else ""
    return MaskingIncomplete(f"Personal data is left: {'; '.join(findings[:_SHOWN])}{more}.")


def _salt(master: Credentials, operation_id: str) -> str:
    """`:salt`: the same for all statements of an operation, unknown to anybody else, and nowhere written down."""
    return hmac.new(master.password.encode(), f"masking {operation_id}".encode(), hashlib.sha256).hexdigest()


def _journalled(context: Context, plan: Mapping[str, Any], cluster: Cluster) -> dict[str, Any]:
    """The journal's entry, or a new one: what was done in another cluster of that name does not count."""
    operation = context.store.read(plan["operation_id"])
    entry = dict(operation.entry(STEP)) if operation else {}
    if entry.get("cluster_resource_id") == cluster.resource_id:
        return entry
    return {"cluster_resource_id": cluster.resource_id, "phase": "intended", "status": "starting", "percent": 0}


def _journal(context: Context, plan: Mapping[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    context.store.journal(plan["operation_id"], STEP, entry)
    return entry

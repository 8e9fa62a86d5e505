"""A runbook's arguments -> the request that the state machine gets.

What a team declares for a target in the inventory (`restore_targets`) is the base; what the operator gives on the
command line goes over it. Nothing is validated here but the target's name: the one schema (`aurora_restore.request`)
does the rest.
"""

from __future__ import annotations

import datetime
import difflib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from aurora_deploy.clients import Aws
from aurora_deploy.errors import DeployError
from aurora_deploy.runbook.execution import StateMachine, describe

#: Without letters and digits that are mistaken for each other when read aloud.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_operation_id(now: datetime.datetime) -> str:
    """A new operation's name, `YYYYMMDD-HHMMSS-xxxx`: sorts by time, unique enough for two operators in one second."""
    return f"{now:%Y%m%d-%H%M%S}-{''.join(secrets.choice(_ALPHABET) for _ in range(4))}"


def assemble(
    targets: Mapping[str, Mapping[str, Any]], target: str, overrides: Mapping[str, Any], *, operation_id: str
) -> dict[str, Any]:
    """Return the request for `target`: its declaration with the overrides over it.

    The declaration's key is the cluster's identifier unless it says `target: {cluster: ...}` itself.

    :raises DeployError: the inventory does not know the target; the message lists those it knows.
    """
    if target not in targets:
        raise DeployError(_unknown(targets, target))
    request = _merged({"target": {"cluster": target}}, targets[target])
    return {**_merged(request, overrides), "operation_id": overrides.get("operation_id") or operation_id}


def rollback_request(aws: Aws, machine: StateMachine, rolled_back: str, operation_id: str) -> dict[str, Any]:
    """Return the request that rolls an operation back: `target` is there for the eyes of whoever lists executions.

    :raises DeployError: there is no such operation.
    """
    restore = describe(aws, machine.execution_arn(rolled_back))
    if restore is None:
        raise DeployError(f"there is no operation {rolled_back}. Fix: playbooks/status.yml lists the latest ones")
    request = json.loads(restore.get("input") or "{}")
    return {
        "action": "rollback",
        "rolls_back": rolled_back,
        "operation_id": operation_id,
        "target": {"cluster": (request.get("target") or {}).get("cluster", "")},
    }


def overrides(args: Mapping[str, Any]) -> dict[str, Any]:
    """Return what goes over a declaration: `request`, with `source_snapshot` and `dry_run` put in place."""
    over = dict(args["request"])
    if args["source_snapshot"]:
        over["source"] = {**over.get("source", {}), "type": "snapshot", "snapshot": args["source_snapshot"]}
    if args["dry_run"] is not None:
        over["dry_run"] = args["dry_run"]
    return over


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` over `base`: mappings go together key by key, everything else replaces.

    A source of another type replaces the whole source: keys of two types together would never be valid.
    """
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if not (isinstance(below, Mapping) and isinstance(value, Mapping)):
            merged[key] = value
        elif key == "source" and value.get("type", below.get("type")) != below.get("type"):
            merged[key] = {**({"region": below["region"]} if "region" in below else {}), **value}
        else:
            merged[key] = _merged(below, value)
    return merged


def _unknown(targets: Mapping[str, Any], target: str) -> str:
    known = ", ".join(sorted(targets)) or "none"
    if not target:
        return f"no target was named. Fix: add -e target=<name>; restore_targets of this inventory knows: {known}."
    near = difflib.get_close_matches(target, list(targets), n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return (
        f"unknown target {target!r}: {hint}restore_targets of this inventory knows: {known}. "
        "Fix: name one of them, or declare the target in group_vars."
    )

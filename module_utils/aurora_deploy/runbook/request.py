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
    """Return what goes over a declaration: `request`, with the `source_*` arguments and `dry_run` put in place.

    :raises DeployError: two arguments that name different sources.
    """
    over = dict(args["request"])
    named = {name: args[name] for name in _SOURCES if args[name]}
    if len(named) > 1:
        raise DeployError(f"{' and '.join(named)} name different sources. Fix: give one of them")
    source: dict[str, Any] = {}
    for name, value in named.items():
        kind, field = _SOURCES[name]
        source = {"type": kind, field: value} if field else {"type": value}
    if args["source_max_age_hours"] is not None:
        source["max_age_hours"] = args["source_max_age_hours"]
    if source:
        over["source"] = {**over.get("source", {}), **source}
    if args["dry_run"] is not None:
        over["dry_run"] = args["dry_run"]
    return over


def needs_approval(request: Mapping[str, Any]) -> bool:
    """Whether somebody must agree before the restore changes anything; then the request says who asks for it."""
    approval = request.get("approval")
    return isinstance(approval, Mapping) and approval.get("required") is True


#: Argument -> the type of source that it means and the field that it is; `source_type` is the type itself.
_SOURCES = {
    "source_snapshot": ("snapshot", "snapshot"),
    "source_date": ("snapshot_of_date", "date"),
    "source_time": ("point_in_time", "time"),
    "source_type": ("", ""),
}
#: What a declared source keeps when an operator chooses another type. A source of the operator's own choice may be old.
_KEPT = {
    "latest_snapshot": ("cluster", "account", "region", "hop_kms_key", "max_age_hours"),
    "snapshot": ("region", "hop_kms_key"),
    "snapshot_of_date": ("cluster", "account", "region", "hop_kms_key"),
    "point_in_time": ("cluster", "region"),
    "latest_restorable_time": ("cluster", "region", "max_age_hours"),
    "clone": ("cluster", "region"),
}


def _other_source(below: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A source of another type replaces the declared one: keys of two types together would never be valid.

    It keeps what says where the source is; an ARN says that itself.
    """
    by_arn = str(over.get("snapshot", "")).startswith("arn:")
    kept = [name for name in _KEPT.get(over["type"], ()) if name in below and not (by_arn and name == "region")]
    return {**{name: below[name] for name in kept}, **over}


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` over `base`: mappings go together key by key, everything else replaces.

    A source of another type is no mapping to go over: `_other_source`.
    """
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if not (isinstance(below, Mapping) and isinstance(value, Mapping)):
            merged[key] = value
        elif key == "source" and value.get("type", below.get("type")) != below.get("type"):
            merged[key] = _other_source(below, value)
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

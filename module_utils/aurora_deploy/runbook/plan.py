"""A plan -> what a dry run prints: every value that a restore would use, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aurora_deploy.runbook.cost import cost
from aurora_deploy.runbook.text import duration

_MASTERS = {"secret": "password from the pipeline's secret", "managed": "password kept and rotated by RDS"}
_TOLD_ELSEWHERE = frozenset({"cluster_id", "snapshot_id", "source_cluster", "source_resource_id"})


def plan_lines(plan: Mapping[str, Any], prices: Mapping[str, float]) -> list[str]:
    """Return the plan of SnapshotCheck (docs/architecture.md, "plan") in lines; `prices` as for `cost`."""
    source, target, copy = plan["source"], plan["target"]["cluster"], plan["copy"]
    expected = plan["expected_seconds"]
    lines = [
        _line("source", f"{source['text']} in {source['region']}{_data_of(source)}"),
        *_copies(copy),
        _line("new cluster", plan["restore"]["cluster_id"]),
        *_values(plan["restore"], plan["origins"], ""),
    ]
    for number, instance in enumerate(plan["instances"], start=1):
        told = {**instance, "tags": plan["instance_tags"][instance["tags"]]}
        prefixes = (f"instances.{number}.", "instances.")
        lines += [_line("instance", instance["id"]), *_values(told, plan["origins"], *prefixes)]
    return [
        *lines,
        _line("master", _MASTERS[plan["credentials"]["master"]]),
        *(_line("keeps login", f"{name}{_roles(plan, name)}") for name in plan["credentials"]["keep_logins"]),
        *(_line("keeps jobs", pattern) for pattern in plan["jobs"]["keep"]),
        *_masking(plan["masking"]),
        *(
            _line("user", f"{user['access']} from secret {user['secret']} in {user['database']}{_as(user)}")
            for user in plan["users"]
        ),
        _line("verification", _value({key: value for key, value in plan["verify"].items() if value})),
        *_swap(plan, target),
        _line("retention", _value(plan["retention"])),
        _line("expected", duration(expected) if expected else "unknown: no earlier restore of this target"),
        _line("cost", cost(plan, prices)),
        *_approval(plan["approval"]),
        *(_line(finding["result"], f"{finding['name']}: {finding['detail']}") for finding in plan["preflight"]),
    ]


def _swap(plan: Mapping[str, Any], target: str) -> list[str]:
    """What becomes of the target."""
    if plan["replace"]["needed"]:
        return [
            _line("REMOVES", f"{target} before the new cluster is proven, after the final snapshot"),
            _line("", f"{plan['replace']['final_snapshot']}; clients have no database meanwhile"),
        ]
    return [_line("swap", f"{target} becomes {plan['swap']['old_cluster_id']}" if plan["swap"]["needed"] else "none")]


def _approval(approval: Mapping[str, Any]) -> list[str]:
    if not approval["required"]:
        return [_line("approval", "none is required")]
    who = "anybody but the requester" if approval["forbid_self"] else "anybody with the right to"
    return [_line("approval", f"by {who}, within {duration(approval['expires_seconds'])}")]


def _roles(plan: Mapping[str, Any], login: str) -> str:
    """What is said of a kept login's memberships; otherwise they are production's."""
    roles = plan["credentials"].get("member_of", {}).get(login)
    return "" if roles is None else f", member of {', '.join(roles) or 'no role'}"


def _as(user: Mapping[str, Any]) -> str:
    return f", member of {', '.join(user['member_of'])}" if user.get("member_of") else ""


def _masking(masking: Mapping[str, Any]) -> list[str]:
    """The set, its files with their checksums, and what is looked for afterwards."""
    if not masking["needed"]:
        return [_line("masking", "none")]
    rows = f"{masking['detectors']['sample']} rows a table" if masking["detectors"]["sample"] else "every row"
    return [
        _line("masking", f"{masking['set']} in {masking['database']}, checksum {masking['checksum']}"),
        *(_line("", f"{name} {checksum}") for name, checksum in sorted(masking["files"].items())),
        _line("", f"then looks for {', '.join(masking['detectors']['kinds'])} in {rows}"),
    ]


def _data_of(source: Mapping[str, Any]) -> str:
    return f", data of {source['created_at']}" if source["created_at"] else ""


def _copies(copy: Mapping[str, Any]) -> list[str]:
    """A line a hop, with its key and its reason."""
    if not copy["needed"]:
        return [_line("copy", f"none: {copy['reason']}")]
    return [
        _line(
            "copy",
            f"to {hop['snapshot_id']} in {hop['region']}"
            + (f" under {hop['kms_key_arn']}" if hop["kms_key_arn"] else ", unencrypted")
            + f": {hop['reason']}",
        )
        for hop in copy["hops"]
    ]


def _values(part: Mapping[str, Any], origins: Mapping[str, str], *prefixes: str) -> list[str]:
    """A line a value, with its origin, by the first of `prefixes` that knows one; not what has a line of its own."""
    return [
        _line("", f"{key} = {_value(value)}{_origin(origins, prefixes, key)}")
        for key, value in part.items()
        if key not in _TOLD_ELSEWHERE and key != "id"
    ]


def _origin(origins: Mapping[str, str], prefixes: tuple[str, ...], key: str) -> str:
    names = [f"{prefix}{name}" for name in (key, "*") for prefix in prefixes]
    origin = next((origins[name] for name in names if name in origins), "")
    return f" (from the {origin})" if origin else ""


def _value(value: Any) -> str:
    """What is not set is told, too: then AWS's own default holds."""
    if value in (None, [], {}):
        return "none"
    return value if isinstance(value, str) else json.dumps(value)


def _line(label: str, text: str) -> str:
    return f"  {label:<13} {text}"

"""Items of the state and audit tables -> what status and the demo print."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from aurora_deploy.runbook.text import duration, parse_moment

_DESERIALIZE = TypeDeserializer().deserialize
#: Details longer than this many characters are cut in the timeline; the table has the whole.
_DETAIL_WIDTH = 110


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a DynamoDB item (typed attribute values) as plain JSON values."""
    return {key: _plain(_DESERIALIZE(value)) for key, value in item.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(inner) for inner in value)
    return value


def timeline(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one line per audit item: time into the operation, step, status, how long the step took, details."""
    lines = []
    started: dict[str, float] = {}
    first = 0.0
    for event in sorted(events, key=lambda item: str(item["timestamp"])):
        at = parse_moment(str(event["timestamp"])).timestamp()
        step, status = str(event["step"]), str(event["status"])
        first = first or at
        took = ""
        if status == "STARTED":
            started.setdefault(step, at)
        elif step in started:
            took = duration(at - started.pop(step))
        lines.append(
            f"{at - first:8.1f} s  {step:<20} {status:<10} {took:>12}  {_details(event.get('details'))}".rstrip()
        )
    return lines


def _details(details: Any) -> str:
    """The details of an event on one line, flat, cut where they are too long to read."""
    if not details:
        return ""
    pairs = details.items() if isinstance(details, Mapping) else [("details", details)]
    text = ", ".join(f"{key}={_short(value)}" for key, value in pairs)
    text = " ".join(text.split())
    return text if len(text) <= _DETAIL_WIDTH else text[: _DETAIL_WIDTH - 1] + "…"


def _short(value: Any) -> str:
    """A value in few words: of things that have names, the names."""
    if isinstance(value, list) and value and all(isinstance(item, Mapping) and "name" in item for item in value):
        return " and ".join(str(item["name"]) for item in value)
    return value if isinstance(value, str) else json.dumps(value)

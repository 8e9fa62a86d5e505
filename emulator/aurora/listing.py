"""Filters and pages, the same for every Describe action."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from .actions.registry import Call
from .errors import invalid_value

Item = TypeVar("Item")
_PAGE = 100
_SMALLEST_PAGE = 20


def filtered(call: Call, items: Iterable[Item], values: Mapping[str, Callable[[Item], Iterable[str]]]) -> list[Item]:
    """Those items whose value for every given filter is one of the filter's. Raises RdsError for an unknown filter."""
    found = list(items)
    for wanted in call.get("Filters", []):
        name = wanted["Name"]
        if name not in values:
            raise invalid_value(f"Unrecognized filter name: {name}")
        allowed = {value.lower() for value in wanted.get("Values", [])}
        found = [item for item in found if allowed & {value.lower() for value in values[name](item)}]
    return found


def page(call: Call, items: list[Item], key: str, render: Callable[[Item], Any]) -> dict[str, Any]:
    """One page of a listing under `key`, with a Marker where more follows."""
    size = call.get("MaxRecords", _PAGE)
    if not _SMALLEST_PAGE <= size <= _PAGE:
        raise invalid_value(f"Invalid value {size} for MaxRecords. Must be between {_SMALLEST_PAGE} and {_PAGE}")
    try:
        start = int(call.get("Marker") or 0)
    except ValueError:
        raise invalid_value("The parameter Marker is not valid.") from None
    end = start + size
    result: dict[str, Any] = {key: [render(item) for item in items[start:end]]}
    if end < len(items):
        result["Marker"] = str(end)
    return result

"""What differs between declared and existing attributes, compared by meaning rather than by spelling."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

UNKNOWN = "(known after apply)"
"""Stands in check mode for a value that AWS only assigns once the resource it belongs to exists."""

HIDDEN = "(hidden)"
"""Stands in every result for the value of a secret attribute."""

Attributes = dict[str, Any]
"""A resource as plain JSON values by attribute name.

Names that start with `_` are the family's own notes: never compared, never shown.
"""


def canonical(value: Any, *, unordered: bool = False) -> Any:
    """Return `value` in the one form shared by all spellings of the same meaning.

    A whole number is the same as 2 and as 2.0. Policy documents are recognised wherever they stand by their
    `Statement`. With `unordered` a list is a set.
    """
    if isinstance(value, Mapping):
        if "Statement" in value:
            return _policy(value)
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [canonical(item) for item in value]
        return sorted(items, key=_sort_key) if unordered else items
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def differing(before: Attributes, after: Attributes, unordered: Collection[str] = ()) -> tuple[str, ...]:
    """Return the sorted names of the declared attributes (`after`) whose meaning differs from what exists."""
    return tuple(
        sorted(
            name
            for name, value in after.items()
            if not name.startswith("_")
            and (
                name not in before
                or canonical(before[name], unordered=name in unordered) != canonical(value, unordered=name in unordered)
            )
        )
    )


def shown(attributes: Attributes, hidden: Collection[str] = (), unordered: Collection[str] = ()) -> Attributes:
    """Return the attributes as results may show them: in their one form, without the family's notes and any secret."""
    return {
        name: HIDDEN if name in hidden else canonical(value, unordered=name in unordered)
        for name, value in attributes.items()
        if not name.startswith("_")
    }


def as_text(attributes: Attributes | None) -> str:
    """Return attributes as the text that `--diff` compares by line; no text for a resource that does not exist."""
    return "" if attributes is None else json.dumps(attributes, indent=2, sort_keys=True, default=str) + "\n"


def _policy(document: Mapping[str, Any]) -> dict[str, Any]:
    """In IAM's grammar a one-element list may be a string, and the order of statements and actions means nothing."""
    statements = document["Statement"]
    if isinstance(statements, Mapping):
        statements = [statements]
    rest = {key: value for key, value in document.items() if key != "Statement"}
    return {**rest, "Statement": sorted((_statement(item) for item in statements), key=_sort_key)}


def _statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in statement.items():
        if key in ("Principal", "NotPrincipal"):
            parties = value if isinstance(value, Mapping) else {"AWS": value}
            result[key] = {kind: sorted(map(_principal, _listed(names))) for kind, names in parties.items()}
        elif key == "Condition":
            result[key] = {
                operator: {name: sorted(map(_literal, _listed(values))) for name, values in tests.items()}
                for operator, tests in value.items()
            }
        elif key in ("Action", "NotAction", "Resource", "NotResource"):
            result[key] = sorted(str(item) for item in _listed(value))
        else:
            result[key] = value
    return result


def _principal(party: Any) -> str:
    """AWS stores an account number as the ARN of that account's root."""
    text = str(party)
    return f"arn:aws:iam::{text}:root" if len(text) == 12 and text.isdigit() else text


def _literal(value: Any) -> str:
    """Conditions compare strings; JSON's true and the string "true" are the same to IAM."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _sort_key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)

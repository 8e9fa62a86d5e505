"""Conditions of a policy's statement -> whether they hold. Pure, and honest about what cannot be known beforehand.

IAM User Guide, "IAM JSON policy elements: Condition operators". Every answer is True, False or None: None where a
condition looks at something that only the call itself will show, or uses an operator that is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Answer = bool | None
Facts = Mapping[str, str | None]  # by lower-case condition key; None: the call will not carry it; absent: not known


def all_hold(answers: Iterable[Answer]) -> Answer:
    """False if one is, else None if one is not known."""
    found = list(answers)
    return False if False in found else None if None in found else True


def any_holds(answers: Iterable[Answer]) -> Answer:
    """True if one is, else None if one is not known."""
    found = list(answers)
    return True if True in found else None if None in found else False


def holds(conditions: Mapping[str, Mapping[str, Any]], facts: Facts) -> Answer:
    """All conditions of one statement: operators and keys are joined by AND, a key's values by OR."""
    return all_hold(
        _holds(operator, key.lower(), listed(values), facts)
        for operator, block in conditions.items()
        for key, values in block.items()
    )


def listed(value: Any) -> list[str]:
    """A policy gives one value as itself, and booleans as they come."""
    values = value if isinstance(value, list) else [value]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in values]


def like(pattern: str, text: str) -> bool:
    """`*` and `?`, as policies have them: fnmatch would read brackets, too."""
    wanted = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(wanted, text, re.DOTALL) is not None


def _same_text(wanted: str, actual: str) -> bool:
    return wanted == actual


def _same_letters(wanted: str, actual: str) -> bool:
    return wanted.lower() == actual.lower()


_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": _same_text,
    "StringEqualsIgnoreCase": _same_letters,
    "StringLike": like,
    "ArnEquals": like,  # IAM User Guide: ArnEquals and ArnLike behave identically
    "ArnLike": like,
    "Bool": _same_letters,
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def _holds(operator: str, key: str, wanted: list[str], facts: Facts) -> Answer:
    if key not in facts:
        return None
    actual = facts[key]
    if operator == "Null":
        return (actual is None) == (wanted == ["true"])
    name = operator.removesuffix("IfExists")
    negated = name in _NEGATED
    match = _MATCHES.get(_NEGATED.get(name, name))
    if match is None:
        return None
    if actual is None:
        return negated or name != operator
    return any(match(value, actual) for value in wanted) != negated

"""Errors: one class per stable code, and a page that explains each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aurora_restore import errors
from aurora_restore.errors import Code, RestoreError

PAGE = Path(__file__).parents[3] / "docs" / "errors.md"
ROW = re.compile(r"^\| (AR\d{3}) \| `(\w+)` \| (.+) \|$", re.MULTILINE)
CLASSES = [
    item
    for item in vars(errors).values()
    if isinstance(item, type) and issubclass(item, RestoreError) and item is not RestoreError
]


def test_every_code_has_exactly_one_class() -> None:
    assert sorted(item.code for item in CLASSES) == sorted(Code)


def test_the_page_explains_every_class_and_nothing_else() -> None:
    rows = {code: (name, rest) for code, name, rest in ROW.findall(PAGE.read_text("utf-8"))}
    assert {code: name for code, (name, _) in rows.items()} == {item.code.value: item.__name__ for item in CLASSES}
    for code, (_, rest) in rows.items():
        cells = [cell.strip() for cell in rest.split(" | ")]
        assert len(cells) == 4, code
        assert all(cells), code


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_says_its_code_what_happened_and_what_to_do(kind: type[RestoreError]) -> None:
    assert kind.__doc__
    error = kind("Something happened.")
    assert str(error) == f"[{kind.code}] Something happened. Remedy: {kind.default_remedy}"
    assert str(kind("It.", remedy="Do this.")).endswith("Remedy: Do this.")

"""Errors: one class per stable code, and a page that explains each."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import aurora_restore
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


def kinds(parent: type[RestoreError]) -> set[type[RestoreError]]:
    """The class and all that derive from it, in any module of the package."""
    return {parent}.union(*(kinds(child) for child in parent.__subclasses__()))


def test_kinds_that_share_a_code_are_named_in_its_row_and_explained() -> None:
    for module in pkgutil.walk_packages(aurora_restore.__path__, "aurora_restore."):
        if ".handlers." not in module.name:  # those build what they handle when they are imported
            importlib.import_module(module.name)
    rows = {code: rest for code, _, rest in ROW.findall(PAGE.read_text("utf-8"))}
    others = kinds(RestoreError) - {RestoreError, *CLASSES}
    shared = [kind for kind in others if kind.__module__.startswith("aurora_restore.")]
    assert {"TlsFailed", "LoginRefused", "DatabaseMissing", "StatementFailed", "GrantsNotExact"} <= {
        kind.__name__ for kind in shared
    }
    for kind in shared:
        assert f"`{kind.__name__}`" in rows[kind.code.value], kind
        assert kind.__doc__ and kind.default_remedy, kind


def test_every_runbook_that_the_page_names_exists() -> None:
    for _, _, rest in ROW.findall(PAGE.read_text("utf-8")):
        runbook = rest.rpartition(" | ")[2].strip("`").split()[0]
        assert (PAGE.parents[1] / runbook).is_file(), runbook


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_says_its_code_what_happened_and_what_to_do(kind: type[RestoreError]) -> None:
    assert kind.__doc__
    error = kind("Something happened.")
    assert str(error) == f"[{kind.code}] Something happened. Remedy: {kind.default_remedy}"
    assert str(kind("It.", remedy="Do this.")).endswith("Remedy: Do this.")

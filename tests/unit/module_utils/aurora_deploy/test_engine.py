from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from aurora_deploy import engine
from aurora_deploy.clients import Aws
from aurora_deploy.diff import HIDDEN, Attributes
from aurora_deploy.engine import Family, converge
from aurora_deploy.errors import DeployError

DESIRED: dict[str, Attributes | None] = {"kept": {"size": 1}, "grown": {"size": 2}, "made": {"size": 3}, "gone": None}


class Shelf(Family):
    """Boxes in memory. `failures` are raised instead of a write, by item; `killed_after_create` leaves half a box."""

    label = "box"
    hidden = ("secret",)
    fixed = ("shape",)
    fixed_remedy = "buy another box"

    def __init__(self, boxes: dict[str, Attributes]) -> None:
        super().__init__(Aws("us-east-1"))
        self.boxes = boxes
        self.failures: dict[str, Exception] = {}
        self.killed_after_create = False
        self.writes: list[tuple[str, str]] = []

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        return {name: dict(box) for name, box in self.boxes.items()}

    def create(self, name: str, after: Attributes) -> None:
        self._write("create", name)
        if self.killed_after_create:
            self.boxes[name] = {}
            raise KeyboardInterrupt
        self.boxes[name] = dict(after)

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        self._write("update", name)
        self.boxes[name] |= {key: after[key] for key in changed}

    def delete(self, name: str, before: Attributes) -> None:
        self._write("delete", name)
        del self.boxes[name]

    def _write(self, action: str, name: str) -> None:
        if name in self.failures:
            raise self.failures[name]
        self.writes.append((action, name))


def shelf() -> Shelf:
    return Shelf({"kept": {"size": 1}, "grown": {"size": 1}, "gone": {"size": 9}, "foreign": {"size": 0}})


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PutBox")


def test_every_item_gets_what_it_needs_and_others_are_left_alone() -> None:
    family = shelf()
    outcome = converge(family, DESIRED, check=False)
    assert family.boxes == {"kept": {"size": 1}, "grown": {"size": 2}, "made": {"size": 3}, "foreign": {"size": 0}}
    assert {item["name"]: item["action"] for item in outcome.items} == {
        "kept": "none",
        "grown": "update",
        "made": "create",
        "gone": "delete",
    }
    assert outcome.items[1]["changes"] == {"size": {"before": 1, "after": 2}}


def test_a_second_run_changes_nothing_and_has_the_same_keys() -> None:
    family = shelf()
    first = converge(family, DESIRED, check=False).result()
    family.writes.clear()
    second = converge(family, DESIRED, check=False).result()
    assert family.writes == []
    assert (second["changed"], second["diff"]) == (False, [])
    assert second.keys() == first.keys()
    assert [item.keys() for item in second["items"]] == [item.keys() for item in first["items"]]


def test_check_mode_writes_nothing_and_announces_what_the_next_run_does() -> None:
    family = shelf()
    announced = converge(family, DESIRED, check=True).result()
    assert family.writes == []
    assert announced["changed"] is True
    assert converge(family, DESIRED, check=False).result() == announced


def test_the_diff_shows_declared_attributes_before_and_after() -> None:
    family = shelf()
    family.boxes["grown"]["colour"] = "red"
    diff = {entry["after_header"]: entry for entry in converge(family, DESIRED, check=True).diff}
    assert list(diff) == ["box grown", "box made", "box gone"]
    assert json.loads(diff["box grown"]["before"]) == {"size": 1}
    assert json.loads(diff["box grown"]["after"]) == {"size": 2}
    assert diff["box made"]["before"] == ""
    assert diff["box gone"]["after"] == ""


def test_a_secret_shows_that_it_changes_and_never_its_value() -> None:
    family = Shelf({"a": {"secret": "old-value"}})
    result = converge(family, {"a": {"secret": "new-value"}}, check=False).result()
    assert family.boxes["a"] == {"secret": "new-value"}
    assert "value" not in json.dumps(result)
    assert result["items"][0]["changes"] == {"secret": {"before": HIDDEN, "after": HIDDEN}}
    assert result["diff"][0]["before"] != result["diff"][0]["after"]


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (refused("ThrottlingException"), "box made: PutBox failed with ThrottlingException"),
        (ConnectionClosedError(endpoint_url="https://boxes"), "box made: Connection was closed"),
        (DeployError("too big. Fix: smaller"), "box made: too big. Fix: smaller."),
    ],
)
def test_an_item_that_fails_is_named_and_the_others_finish(failure: Exception, said: str) -> None:
    family = shelf()
    family.failures["made"] = failure
    result = converge(family, DESIRED, check=False).result()
    assert result["failed"] is True
    assert result["msg"].startswith(said)
    assert result["changed"] is True
    assert sorted(family.writes) == [("delete", "gone"), ("update", "grown")]


@pytest.mark.parametrize("check", [True, False])
def test_what_cannot_change_is_shown_and_refused_in_check_mode_as_in_a_run(check: bool) -> None:
    family = Shelf({"a": {"shape": "round", "size": 1}, "b": {"size": 1}})
    outcome = converge(family, {"a": {"shape": "square", "size": 2}, "b": {"size": 2}}, check=check)
    assert outcome.errors == ["box a: the shape of an existing box cannot change. Fix: buy another box."]
    assert outcome.items[0]["changes"]["shape"] == {"before": "round", "after": "square"}
    assert family.boxes["a"] == {"shape": "round", "size": 1}
    assert family.writes == ([] if check else [("update", "b")])


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LOOK_AGAIN_SECONDS", 0)


@pytest.mark.usefixtures("_impatient")
def test_a_creation_whose_reply_was_lost_is_finished() -> None:
    family = shelf()

    def create(name: str, after: Attributes) -> None:
        family.boxes[name] = {}
        raise refused("EntityAlreadyExists")

    family.create = create  # type: ignore[method-assign]
    assert converge(family, {"made": {"size": 3}}, check=False).errors == []
    assert family.boxes["made"] == {"size": 3}


@pytest.mark.usefixtures("_impatient")
def test_what_is_gone_already_need_not_be_deleted() -> None:
    family = shelf()

    def delete(name: str, before: Attributes) -> None:
        del family.boxes[name]
        raise refused("NoSuchEntity")

    family.delete = delete  # type: ignore[method-assign]
    assert converge(family, {"gone": None}, check=False).errors == []


@pytest.mark.usefixtures("_impatient")
def test_an_item_that_stays_in_the_way_is_reported() -> None:
    family = shelf()
    family.failures["made"] = refused("ResourceExistsException")
    assert "ResourceExistsException" in converge(family, DESIRED, check=False).errors[0]


def test_nothing_has_changed_when_every_write_fails() -> None:
    family = shelf()
    family.failures = dict.fromkeys(["grown", "made", "gone"], refused("AccessDenied"))
    result = converge(family, DESIRED, check=False).result()
    assert (result["changed"], len(result["msg"].splitlines())) == (False, 3)


def test_a_programming_error_is_not_dressed_up_as_a_failure_of_aws() -> None:
    family = shelf()
    family.failures["made"] = KeyError("x")
    with pytest.raises(KeyError):
        converge(family, DESIRED, check=False)


def test_a_failing_read_is_reported_and_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    family = shelf()

    def fail(names: Collection[str]) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListBoxes")

    monkeypatch.setattr(family, "read", fail)
    result = converge(family, DESIRED, check=False).result()
    assert result["failed"] is True
    assert "ListBoxes failed with AccessDenied" in result["msg"]
    assert (result["changed"], family.writes) == (False, [])


def test_a_run_that_was_killed_in_between_is_continued() -> None:
    family = Shelf({})
    family.killed_after_create = True
    with pytest.raises(KeyboardInterrupt):
        converge(family, {"made": {"size": 3}}, check=False)
    family.killed_after_create = False
    outcome = converge(family, {"made": {"size": 3}}, check=False)
    assert [item["action"] for item in outcome.items] == ["update"]
    assert family.boxes == {"made": {"size": 3}}


def test_outcomes_of_several_families_add_up() -> None:
    outcome = converge(shelf(), {"kept": {"size": 1}}, check=False)
    outcome.extend(converge(shelf(), {"made": {"size": 1}}, check=False))
    assert outcome.changed is True
    assert [item["name"] for item in outcome.items] == ["kept", "made"]

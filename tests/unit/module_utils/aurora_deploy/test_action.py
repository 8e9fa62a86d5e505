from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.plugins.loader import action_loader
from ansible.template import Templar

from aurora_deploy import action
from aurora_deploy.action import ConvergeAction, Run, Work, argument_spec, plain
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family

DOCUMENTED = '''
DOCUMENTATION = """
options:
  boxes:
    type: list
    elements: dict
    required: true
    suboptions:
      name: {type: str, required: true}
      size: {type: int, default: 1}
  state: {type: str, choices: [present, absent], default: present}
"""
'''


class Boxes(Family):
    """Boxes in memory."""

    label = "box"
    there: dict[str, Attributes]

    def read(self, names: Any) -> dict[str, Attributes]:
        return dict(self.there)

    def create(self, name: str, after: Attributes) -> None:
        self.there[name] = after

    def update(self, name: str, before: Attributes, after: Attributes, changed: Any) -> None:
        self.there[name] = after

    def delete(self, name: str, before: Attributes) -> None:
        del self.there[name]


class BoxesAction(ConvergeAction):
    """An action plugin as action_plugins/ has them."""

    seen: list[Run]

    @staticmethod
    def plan(run: Run) -> Iterator[Work]:
        BoxesAction.seen.append(run)
        yield Boxes(run.aws), {box["name"]: None if run.absent else {"size": box["size"]} for box in run.args["boxes"]}


@pytest.fixture(autouse=True)
def _documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "boxes.py").write_text(DOCUMENTED)
    monkeypatch.setattr(action, "_LIBRARY", tmp_path)
    argument_spec.cache_clear()
    Boxes.there = {}
    BoxesAction.seen = []


def run(args: dict[str, Any], *, check: bool = False, **variables: Any) -> dict[str, Any]:
    task = Task.load({"name": "Ensure boxes", "action": "boxes"})
    task.args, task.check_mode = args, check
    loader = DataLoader()
    templar = Templar(loader=loader, variables=variables)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), _remote_is_local=True, transport="local")
    plugin = BoxesAction(task, connection, SimpleNamespace(), loader, templar, None)
    result: dict[str, Any] = plugin.run(task_vars=variables)
    return result


def test_arguments_are_validated_and_completed_from_the_documentation() -> None:
    result = run({"boxes": [{"name": "a"}]})
    assert Boxes.there == {"a": {"size": 1}}
    assert (result["changed"], result["items"][0]["action"]) == (True, "create")


@pytest.mark.parametrize(
    ("args", "said"),
    [({}, "boxes"), ({"boxes": [], "colour": 1}, "colour"), ({"boxes": [], "state": "maybe"}, "state")],
)
def test_wrong_arguments_are_refused_by_name(args: dict[str, Any], said: str) -> None:
    with pytest.raises(AnsibleActionFail, match=said):
        run(args)
    assert BoxesAction.seen == []


def test_check_mode_writes_nothing() -> None:
    assert run({"boxes": [{"name": "a"}]}, check=True)["changed"] is True
    assert Boxes.there == {}


def test_absent_removes() -> None:
    Boxes.there = {"a": {"size": 1}}
    assert run({"boxes": [{"name": "a"}], "state": "absent"})["items"][0]["action"] == "delete"
    assert Boxes.there == {}


def test_the_connection_follows_the_variables_of_the_play() -> None:
    run({"boxes": []}, region="eu-west-1", aws_profile="", aws_config_file="")
    assert BoxesAction.seen[0].aws.region == "eu-west-1"


def test_a_missing_profile_is_a_message_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(run: Run) -> Iterator[Work]:
        run.aws.client("sns")
        yield Boxes(run.aws), {}

    monkeypatch.setattr(BoxesAction, "plan", staticmethod(ask))
    result = run({"boxes": []}, aws_profile="nobody")
    assert result["failed"] is True
    assert "nobody" in result["msg"]
    assert "Fix:" in result["msg"]


def test_what_follows_a_failure_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Boxes, name: str, after: Attributes) -> None:
        raise action.DeployError("full. Fix: empty it")

    def two_steps(run: Run) -> Iterator[Work]:
        yield Boxes(run.aws), {"a": {}}
        pytest.fail("the second step started")
        yield Boxes(run.aws), {"b": {}}

    monkeypatch.setattr(Boxes, "create", fail)
    monkeypatch.setattr(BoxesAction, "plan", staticmethod(two_steps))
    assert run({"boxes": []})["msg"] == "box a: full. Fix: empty it."


def test_what_earlier_tasks_knew_is_not_looked_up_and_what_this_one_knows_is_returned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ask(run: Run) -> Iterator[Work]:
        yield Boxes(run.aws), {run.lookup.key_arn("alias/ar"): {}}
        run.answers["box a"] = "id-1"

    monkeypatch.setattr(BoxesAction, "plan", staticmethod(ask))
    result = run({"boxes": []}, region="us-east-1", already_known={"KMS key alias/ar": "arn:key"})
    assert [item["name"] for item in result["items"]] == ["arn:key"]
    assert result["answers"] == {"box a": "id-1"}


def test_values_of_ansible_become_plain_ones() -> None:
    class Tagged(str):
        __slots__ = ()

    value = plain({Tagged("a"): [Tagged("b"), True, 1, 1.5, None]})
    assert value == {"a": ["b", True, 1, 1.5, None]}
    assert type(next(iter(value))) is str
    assert [type(item) for item in value["a"]] == [str, bool, int, float, type(None)]


def test_every_module_of_ours_has_a_documentation_that_is_a_specification(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(action, "_LIBRARY", repository / "library")
    action_loader.add_directory(str(repository / "action_plugins"))
    checked = []
    for entry in sorted((repository / "action_plugins").glob("*.py")):
        plugin = action_loader.get(entry.stem, class_only=True)
        if issubclass(plugin, ConvergeAction):
            spec = argument_spec(entry.stem)
            ArgumentSpecValidator(spec).validate({})  # raises on a specification that is none
            assert spec["state"]["choices"] == ["present", "absent"], entry.stem
            checked.append(entry.stem)
    assert len(checked) >= 5

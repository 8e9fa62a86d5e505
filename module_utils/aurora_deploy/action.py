"""The base class of our action plugins: arguments, check mode and connection on one side, families on the other.

A module is three small files: `library/<name>.py` documents it (its DOCUMENTATION *is* the argument specification),
`action_plugins/<name>.py` names its plan, and `families/<what>.py` holds the plan and the families:

    def plan(run: Run) -> Iterator[Work]:
        key = run.lookup.key_arn(run.args["key"])
        yield TableFamily(run.aws), {item["name"]: {"key": key} for item in run.args["tables"]}

A plan may yield several times: what follows a `yield` runs after that convergence, and can look up what it made.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ansible.plugins.action import ActionBase

from aurora_deploy.clients import Aws
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family, Outcome, converge
from aurora_deploy.errors import AWS_ERRORS, DeployError, explain
from aurora_deploy.lookup import Lookup

Work = tuple[Family, Mapping[str, Attributes | None]]
"""A family and its declared items; None declares that an item must not exist."""

_LIBRARY = Path(__file__).resolve().parents[2] / "library"
_SPEC_KEYS = ("type", "elements", "required", "default", "choices", "no_log")


@dataclass(frozen=True)
class Run:
    """What a plan may use: validated arguments (plain Python values, defaults filled in), connection, lookups, mode.

    `answers` take what the plan has found or made and the lookups of later tasks would ask AWS for again.
    """

    args: dict[str, Any]
    aws: Aws
    lookup: Lookup
    check: bool
    answers: dict[str, Any] = field(default_factory=dict)

    @property
    def absent(self) -> bool:
        """True where the task declares `state: absent`."""
        return self.args.get("state") == "absent"


Plan = Callable[[Run], Iterator[Work]]


class OurAction(ActionBase):  # type: ignore[misc]  # ansible ships no types
    """What all our action plugins share: check mode, arguments by their documentation, the inventory's connection."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def arguments(self) -> dict[str, Any]:
        """Return the task's arguments, checked against the module's documentation, with its defaults."""
        _, found = self.validate_argument_spec(argument_spec(self._task.action.rsplit(".", 1)[-1]))
        return dict(plain(found))

    def connect(self, task_vars: Mapping[str, Any] | None) -> Aws:
        """Return the connection that the variables `region`, `aws_profile` and `aws_config_file` name."""
        values = [(task_vars or {}).get(name, "") for name in ("region", "aws_profile", "aws_config_file")]
        return Aws(*(str(self._templar.template(value) or "") for value in values))


    def known(self, task_vars: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the answers of earlier tasks of this run, which the variable `already_known` holds."""
        return dict(plain(self._templar.template((task_vars or {}).get("already_known", {}))))


class ConvergeAction(OurAction):
    """Runs a plan in the controller's worker and returns the result contract: `changed`, `items`, `diff`.

    Where a plan gives `answers`, they are a fourth key.
    """

    plan: Plan
    """The module's plan; subclasses set it with `plan = staticmethod(...)`."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Validate the arguments, converge every family of the plan in turn, stop after one that failed."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        args = self.arguments()
        outcome = Outcome()
        try:
            aws = self.connect(task_vars)
            lenient = self._task.check_mode or args.get("state") == "absent"
            run = Run(args, aws, Lookup(aws, self.known(task_vars), lenient=lenient), bool(self._task.check_mode))
            for family, desired in type(self).plan(run):
                outcome.extend(converge(family, desired, check=run.check))
                if outcome.errors:
                    break
            if run.answers:
                result["answers"] = run.answers
        except (*AWS_ERRORS, DeployError) as error:
            outcome.errors.append(explain(error, str(self._task.get_name() or self._task.action)))
        return {**result, **outcome.result()}


@cache
def argument_spec(module: str) -> dict[str, Any]:
    """Return the argument specification of a module of ours, which is the `options` of its DOCUMENTATION."""
    tree = ast.parse((_LIBRARY / f"{module}.py").read_text(encoding="utf-8"))
    text = next(
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and getattr(node.targets[0], "id", "") == "DOCUMENTATION"
        and isinstance(node.value, ast.Constant)
    )
    return _as_spec(yaml.safe_load(str(text))["options"])


def _as_spec(options: Mapping[str, Any]) -> dict[str, Any]:
    spec = {}
    for name, option in options.items():
        spec[name] = {key: option[key] for key in _SPEC_KEYS if key in option}
        if "suboptions" in option:
            spec[name]["options"] = _as_spec(option["suboptions"])
    return spec


def plain(value: Any) -> Any:
    """Return Ansible's tagged and lazy values as the plain ones that botocore and json know."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value

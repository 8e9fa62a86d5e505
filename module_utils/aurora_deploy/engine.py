"""Convergence: read what exists in bulk, compare with what is declared, plan, write with a thread pool.

    outcome = converge(TableFamily(aws), {"orders": {"billing_mode": "PAY_PER_REQUEST"}, "old": None}, check=False)
    outcome.result()  # {"changed": True, "items": [...], "diff": [...]}

The plan depends on nothing but the declaration and what was read, so check mode announces exactly what a run does.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from botocore.exceptions import ClientError

from aurora_deploy.clients import THREADS, Aws
from aurora_deploy.diff import HIDDEN, Attributes, as_text, differing, shown
from aurora_deploy.errors import AWS_ERRORS, DeployError, explain, is_surprise

LOOKS_AGAIN = 2
LOOK_AGAIN_SECONDS = 1.0
"""How often, and how much later, an item is read again that AWS finds otherwise: its listings lag behind its writes."""

Action = Literal["none", "create", "update", "delete"]


class Family(ABC):
    """One kind of resource. Subclasses say how AWS is asked and told; the engine decides what to do.

    Methods may raise botocore's errors and DeployError: the engine reports them for the item and goes on with the
    others. They run in several threads, one item each, and return once AWS says that the item is ready for use.
    A write may have been cut short by a killed run: `create` and `update` finish what is half done.
    """

    label: ClassVar[str]
    """What one item is called in messages and diffs, for example "DynamoDB table"."""
    hidden: ClassVar[Collection[str]] = ()
    """Attributes whose values are never shown."""
    unordered: ClassVar[Collection[str]] = ()
    """Attributes whose lists are sets: their order means nothing."""
    fixed: ClassVar[Collection[str]] = ()
    """Attributes that AWS cannot change on an existing item: where one differs, check mode and run fail alike."""
    fixed_remedy: ClassVar[str] = ""
    """What to do then."""
    threads: ClassVar[int] = THREADS
    """Items written at the same time; 1 for APIs that refuse concurrent changes."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws

    @abstractmethod
    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        """Return the attributes of those of `names` that exist, with as few paginated calls as the API allows.

        Attributes are plain JSON values in the form that a declaration uses (policies parsed, tags as one mapping).
        Extra items and extra attributes are allowed; only what is declared is compared.
        """

    @abstractmethod
    def create(self, name: str, after: Attributes) -> None:
        """Make the item with all declared attributes."""

    @abstractmethod
    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """Bring the attributes named in `changed` from `before` to `after`."""

    @abstractmethod
    def delete(self, name: str, before: Attributes) -> None:
        """Remove the item."""


@dataclass(frozen=True)
class Step:
    """What happens to one item: the action, the attributes that change, its looks before and after (None = absent)."""

    name: str
    action: Action
    before: Attributes | None
    after: Attributes | None
    changed: tuple[str, ...] = ()


@dataclass
class Outcome:
    """What a convergence did, or in check mode would do. Outcomes of several families add up with `extend`."""

    changed: bool = False
    items: list[dict[str, Any]] = field(default_factory=list)
    diff: list[dict[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def extend(self, other: Outcome) -> None:
        """Append another family's outcome."""
        self.changed = self.changed or other.changed
        self.items += other.items
        self.diff += other.diff
        self.errors += other.errors

    def result(self) -> dict[str, Any]:
        """Return the module result: `changed`, `items`, `diff` always; `failed` and `msg` where something failed."""
        result: dict[str, Any] = {"changed": self.changed, "items": self.items, "diff": self.diff}
        if self.errors:
            result |= {"failed": True, "msg": "\n".join(self.errors)}
        return result


def converge(family: Family, desired: Mapping[str, Attributes | None], *, check: bool) -> Outcome:
    """Bring every item of `desired` to its declared attributes; None declares that the item must not exist.

    With `check` nothing is written. Items that fail do not keep others from finishing: the errors are in the outcome.
    """
    try:
        existing = family.read(list(desired))
    except (*AWS_ERRORS, DeployError) as error:
        return Outcome(errors=[explain(error, f"{family.label} {', '.join(desired)}")])
    steps = [plan(name, existing.get(name), after, family) for name, after in desired.items()]
    pending = [step for step in steps if step.action != "none"]
    outcome = Outcome(items=[_item(step, family) for step in steps], diff=[_diff(step, family) for step in pending])
    if check or not pending:
        problems = [_attempt(family, step, _refuse_fixed) for step in pending]
    else:
        with ThreadPoolExecutor(min(family.threads, len(pending))) as pool:
            problems = list(pool.map(lambda step: _attempt(family, step, _persist), pending))
    outcome.errors = [problem for problem in problems if problem]
    outcome.changed = len(outcome.errors) < len(pending)
    return outcome


def plan(name: str, before: Attributes | None, after: Attributes | None, family: Family) -> Step:
    """Return what has to happen to one item."""
    if after is None:
        return Step(name, "none" if before is None else "delete", before, None)
    if before is None:
        return Step(name, "create", None, after, tuple(sorted(key for key in after if not key.startswith("_"))))
    changed = differing(before, after, family.unordered)
    return Step(name, "update" if changed else "none", before, after, changed)


def _attempt(family: Family, step: Step, action: Callable[[Family, Step], None]) -> str | None:
    """Do something about one step; return the error message if it failed."""
    try:
        action(family, step)
    except (*AWS_ERRORS, DeployError) as error:
        return explain(error, f"{family.label} {step.name}")
    return None


def _refuse_fixed(family: Family, step: Step) -> None:
    """Raise DeployError where an attribute would have to change that cannot."""
    if step.action == "update" and (fixed := sorted(set(step.changed) & set(family.fixed))):
        names = " and ".join(fixed)
        raise DeployError(f"the {names} of an existing {family.label} cannot change. Fix: {family.fixed_remedy}")


def _persist(family: Family, step: Step, looks: int = LOOKS_AGAIN) -> None:
    """Carry one step out; where AWS finds the item in another state than was read, look again and do what is left."""
    _refuse_fixed(family, step)
    try:
        _carry_out(family, step)
    except ClientError as error:
        if not looks or not is_surprise(error):
            raise
        time.sleep(LOOK_AGAIN_SECONDS)
        fresh = family.read([step.name]).get(step.name)
        _persist(family, plan(step.name, fresh, step.after, family), looks - 1)


def _carry_out(family: Family, step: Step) -> None:
    if step.action == "create":
        family.create(step.name, step.after or {})
    elif step.action == "update":
        family.update(step.name, step.before or {}, step.after or {}, step.changed)
    elif step.action == "delete":
        family.delete(step.name, step.before or {})


def _item(step: Step, family: Family) -> dict[str, Any]:
    before, after = _looks(step.before, family) or {}, _looks(step.after, family) or {}
    changes = {key: {"before": before.get(key), "after": after.get(key)} for key in step.changed}
    return {"name": step.name, "action": step.action, "changes": changes}


def _diff(step: Step, family: Family) -> dict[str, str]:
    before, after = _looks(step.before, family), _looks(step.after, family)
    if before is not None and after is not None:
        before = {key: value for key, value in before.items() if key in after}  # the rest is not ours
        for key in set(step.changed) & set(family.hidden):
            after[key] = f"{HIDDEN}, changed"
    header = f"{family.label} {step.name}"
    return {"before_header": header, "after_header": header, "before": as_text(before), "after": as_text(after)}


def _looks(attributes: Attributes | None, family: Family) -> Attributes | None:
    return None if attributes is None else shown(attributes, family.hidden, family.unordered)

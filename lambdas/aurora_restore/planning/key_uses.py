"""A plan -> which keys RDS will use for which functions' roles, to encrypt something new or to read. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Use:
    """A key's ARN, and the steps whose functions let RDS `encrypt` something new with it, or `read` with it.

    Every step of `encrypt` needs what AWS documents (planning/key_policy.py). What reading needs within one account
    is not documented: RDS holds grants of its own for what it has encrypted.
    """

    key: str
    encrypt: tuple[str, ...]
    read: tuple[str, ...]

    @property
    def steps(self) -> tuple[str, ...]:
        return (*self.encrypt, *self.read)


def uses(plan: Mapping[str, Any]) -> list[Use]:
    """One for each key of snapshots, copies, the new cluster and its Performance Insights, in the plan's order."""
    calls = [(key, step, encrypts) for key, step, encrypts in _calls(plan) if key]
    found = []
    for key in dict.fromkeys(key for key, _, _ in calls):
        encrypt = dict.fromkeys(step for name, step, encrypts in calls if name == key and encrypts)
        read = dict.fromkeys(step for name, step, _ in calls if name == key and step not in encrypt)
        found.append(Use(key, tuple(encrypt), tuple(read)))
    return found


def _calls(plan: Mapping[str, Any]) -> Iterator[tuple[str | None, str, bool]]:
    """Key, step and whether it encrypts, for each call."""
    source = plan["source"]["kms_key_id"]
    for hop in plan["copy"]["hops"]:
        yield source, "copy-snapshot", False
        yield hop["kms_key_arn"], "copy-snapshot", True
        source = hop["kms_key_arn"]
    yield source, "restore-snapshot", False
    yield plan["restore"]["kms_key_id"], "restore-snapshot", True
    yield plan["restore"]["kms_key_id"], "create-instances", False
    for instance in plan["instances"]:
        yield instance["performance_insights_kms_key_id"], "create-instances", False
    if plan["replace"]["needed"]:
        yield plan["replace"]["kms_key_id"], "handle-failure", True  # the target, made again if anything fails

"""All checks of a deployment's start, gathered so that every mistake is told at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aurora_deploy.errors import DeployError
from aurora_deploy.preflight import relations
from aurora_deploy.preflight.identity import Caller, account_mistake
from aurora_deploy.preflight.rules import RULES
from aurora_deploy.runbook.request import assemble

NO_INVENTORY = "no inventory was given. Fix: add -i inventories/<environment>."
_IDENTITY = frozenset({"environment_name", "region", "account_id", "name_prefix"})
"""Variables for which no role has a default: where none of them is set, there is no inventory."""
OPERATION_ID = "20260101-000000-abcd"
"""As long as those that the runbooks make: names that would not fit are found here, not in the middle of a restore."""


@dataclass
class Report:
    """What was found: mistakes and warnings in the order of the inventory, the caller where AWS told who it is."""

    mistakes: list[str] = field(default_factory=list)
    caller: Caller | None = None
    warnings: list[str] = field(default_factory=list)


def check(
    values: Mapping[str, Any],
    unreadable: Mapping[str, str],
    functions: Collection[str],
    known_regions: Collection[str],
    ask: Callable[[str, str, str], Caller],
    validate: Callable[[Any], list[str]],
) -> Report:
    """Check the inventory's variables and the caller.

    Args:
        values: the variables that are set, by name.
        unreadable: the variables that are set but whose template fails, with the reason.
        functions: the steps of the pipeline; names follow from them.
        known_regions: what `region` may be.
        ask: gives the caller for region, profile and config file; raises DeployError.
        validate: gives the mistakes of a restore request.

    AWS is asked only if region, profile and config file are right: otherwise the answer would mislead.
    """
    if _IDENTITY.isdisjoint(values.keys() | unreadable.keys()):
        return Report([NO_INVENTORY])
    report, sound = Report(), dict(values)
    for name, rule in RULES.items():
        if name in unreadable:
            report.mistakes.append(f"{name} cannot be read: {unreadable[name]}. Fix: correct its template.")
        elif name not in values:
            report.mistakes.append(f"{name} is not set. Fix: add it to the inventory, see docs/configuration.md.")
        elif mistake := rule.mistake(name, values[name]):
            report.mistakes.append(mistake)
            del sound[name]
    report.mistakes += relations.mistakes(sound, functions, known_regions)
    report.warnings += relations.warnings(sound)
    report.mistakes += _targets(sound.get("restore_targets", {}), validate)
    connection = [sound.get(name) for name in ("region", "aws_profile", "aws_config_file")]
    if None not in connection and connection[0] in known_regions:
        try:
            report.caller = ask(*map(str, connection))
        except DeployError as error:
            report.mistakes.append(str(error))
        else:
            if "account_id" in sound and (mistake := account_mistake(report.caller, sound["account_id"])):
                report.mistakes.append(mistake)
    return report


def _targets(targets: Mapping[str, Any], validate: Callable[[Any], list[str]]) -> Iterator[str]:
    """Check every declared target as the request that a runbook would make of it."""
    for name, declared in targets.items():
        if not isinstance(declared, Mapping):
            yield f"restore_targets.{name} is {declared!r}, must be a request. Fix: see docs/configuration.md."
            continue
        request = assemble(targets, name, {}, operation_id=OPERATION_ID)
        yield from (f"restore_targets.{name}.{mistake.rstrip('.')}." for mistake in validate(request))


def message(mistakes: Collection[str]) -> str:
    """Return the mistakes as one text, a line each."""
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return "\n".join([f"{count} in the configuration; nothing was changed:", *(f"- {one}" for one in mistakes)])

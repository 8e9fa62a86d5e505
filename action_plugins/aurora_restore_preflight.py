"""Entry point of the module aurora_restore_preflight; it runs in the controller's worker."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError

for _folder in ("module_utils", "lambdas"):  # the controller does not do this for plugins
    sys.path.append(str(Path(__file__).resolve().parents[1] / _folder))

from aurora_deploy.action import OurAction, plain  # noqa: E402
from aurora_deploy.preflight.check import check, message  # noqa: E402
from aurora_deploy.preflight.identity import caller, known_regions  # noqa: E402
from aurora_deploy.preflight.rules import RULES  # noqa: E402
from aurora_restore.request import validate  # noqa: E402


class ActionModule(OurAction):
    """Checks the inventory's variables and the caller; reads only."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the caller; `failed` with every mistake in `msg` if there is one."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.arguments()
        values, unreadable = self._variables(task_vars or {})
        report = check(values, unreadable, arguments["functions"], known_regions(), caller, validate)
        result["changed"] = False
        if report.caller:
            result |= {"account_id": report.caller.account, "caller_arn": report.caller.arn}
        if report.warnings:
            result["warnings"] = report.warnings
        if report.mistakes:
            result |= {"failed": True, "msg": message(report.mistakes)}
        return result

    def _variables(self, task_vars: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the variables that are set, and for those whose template fails the reason."""
        values: dict[str, Any] = {}
        unreadable: dict[str, str] = {}
        for name in RULES.keys() & task_vars.keys():
            try:
                values[name] = plain(self._templar.template(task_vars[name]))
            except AnsibleError as error:
                unreadable[name] = str(error).rstrip(".")
        return values, unreadable

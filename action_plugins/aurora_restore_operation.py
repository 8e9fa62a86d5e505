"""Entry point of the module aurora_restore_operation; it runs in the controller's worker."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

# Ansible puts module_utils/ on the path of modules only, not on that of plugins.
sys.path.append(str(Path(__file__).resolve().parents[1] / "module_utils"))

from aurora_deploy.clients import Aws
from aurora_deploy.runbook.action import RunbookAction
from aurora_deploy.runbook.execution import StateMachine
from aurora_deploy.runbook.status import latest, operation_status, overview, report, target_of


class ActionModule(RunbookAction):
    """Shows operations."""

    def perform(self, args: dict[str, Any], aws: Aws) -> dict[str, Any]:
        """Show one operation in full where one is named by id or target, else a line about each of the latest."""
        machine = StateMachine(args["state_machine_arn"])
        operation = args["operation"]
        if not operation:
            found = latest(aws, machine, args["target"], 1 if args["target"] else args["latest"])
            if not found:
                self.say(f"No operation of {args['target'] or 'any target'} in the last 90 days.")
            if not found or not args["target"]:
                return {"operations": [self._told(execution) for execution in found]}
            operation = found[0]["name"]
        status = operation_status(aws, machine, operation, args["state_table"], args["audit_table"])
        for line in report(status):
            self.say(line)
        execution = status["execution"] or {}
        shown = {"operation": operation, "status": execution.get("status", ""), "target": status["target"]}
        return {"operations": [{**shown, "events": status["events"]}]}

    def _told(self, execution: dict[str, Any]) -> dict[str, Any]:
        self.say(overview(execution))
        return {"operation": execution["name"], "status": execution["status"], "target": target_of(execution)}

"""Entry point of the module aurora_restore_remains; it runs in the controller's worker."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

# Ansible puts module_utils/ on the path of modules only, not on that of plugins.
sys.path.append(str(Path(__file__).resolve().parents[1] / "module_utils"))

from aurora_deploy.clients import Aws
from aurora_deploy.errors import DeployError
from aurora_deploy.runbook.action import RunbookAction
from aurora_deploy.runbook.execution import StateMachine
from aurora_deploy.runbook.remains import remains, running


class ActionModule(RunbookAction):
    """Names what stays."""

    def perform(self, args: dict[str, Any], aws: Aws) -> dict[str, Any]:
        """Refuse while an execution runs, where asked to; print and return what stays."""
        busy = running(aws, StateMachine(args["state_machine_arn"])) if args["require_idle"] else []
        if busy:
            raise DeployError(
                f"restores are running: {', '.join(busy)}. "
                "Fix: wait until they have ended, or end them with playbooks/abort.yml -e operation=<id>"
            )
        found = remains(aws, args["name_prefix"], args["key_alias"])
        for line in found:
            self.say(f"Stays: {line}")
        return {"remains": found}

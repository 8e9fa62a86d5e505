"""Entry point of the module aurora_restore_approval; it runs in the controller's worker."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

_REPOSITORY = Path(__file__).resolve().parents[1]
# Ansible puts module_utils/ on the path of modules only; lambdas/ holds the tables' one owner.
sys.path.extend([str(_REPOSITORY / "module_utils"), str(_REPOSITORY / "lambdas")])

from aurora_deploy.clients import Aws  # noqa: E402
from aurora_deploy.errors import DeployError  # noqa: E402
from aurora_deploy.runbook.action import RunbookAction  # noqa: E402
from aurora_deploy.runbook.approval import Approval  # noqa: E402
from aurora_restore.approval import Decision  # noqa: E402
from aurora_restore.clock import SystemClock, iso  # noqa: E402
from aurora_restore.errors import RestoreError  # noqa: E402
from aurora_restore.store_dynamodb import DynamoStore  # noqa: E402


class ActionModule(RunbookAction):
    """Approves or rejects one operation."""

    def perform(self, args: dict[str, Any], aws: Aws) -> dict[str, Any]:
        """Answer the operation that waits, in the caller's name."""
        if not args["operation"]:
            raise DeployError("no operation was named. Fix: add -e operation=<id>; the notification names it")
        if not args["reason"].strip():
            raise DeployError("no reason was given. Fix: add -e \"reason='...'\"; it stands in the audit trail")
        who = aws.client("sts").get_caller_identity()["Arn"]
        decision = Decision(args["decision"], who, iso(self.now()), args["reason"].strip())
        store = DynamoStore(
            aws.client("dynamodb"), args["state_table"], args["audit_table"], args["audit_ttl_days"], SystemClock()
        )
        approval = Approval(store, aws.client("stepfunctions"), args["operation"])
        try:
            if self.check:
                approval.waiting(decision)
            else:
                approval.answer(decision)
        except RestoreError as error:  # the store's own words for what AWS refused
            raise DeployError(f"{error.message} Fix: {error.remedy}") from error
        text = f"{'Would be' if self.check else 'Operation'} {args['operation']} {decision.text}"
        return {"changed": True, "operation": args["operation"], "decided_by": who, "msg": text}

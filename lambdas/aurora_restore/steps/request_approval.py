"""RequestApproval: ask for a decision, and leave the execution waiting for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aurora_restore import messages
from aurora_restore.approval import APPROVE, STEP
from aurora_restore.clock import iso
from aurora_restore.context import Context
from aurora_restore.steps.notifying import publish_once


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the task's token in the operation's item and publish what is to be decided.

    `task_token` comes with the document; every attempt has another, and the last one counts. What this function returns
    is not the task's result: playbooks/approve.yml sends that. What was approved before is approved.
    """
    plan = document["plan"]
    approval, operation_id = plan["approval"], plan["operation_id"]
    operation = context.store.read(operation_id)
    earlier = operation.entry(STEP) if operation else {}
    if earlier.get("decision") == APPROVE:
        context.tasks.succeed(document["task_token"], earlier)
        return {"audit": {"decided_by": earlier["decided_by"]}}
    expires_at = iso(context.clock.now() + timedelta(seconds=approval["expires_seconds"]))
    asked = {"requested_by": approval["requested_by"], "forbid_self": approval["forbid_self"], "expires_at": expires_at}
    context.store.journal(operation_id, STEP, {**asked, "task_token": document["task_token"]})
    subject, text = messages.approval_requested(context.settings, plan, expires_at)
    publish_once(context, operation_id, "NotifyApproval", subject, text)
    return {"audit": asked}

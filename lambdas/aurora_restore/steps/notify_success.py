"""NotifySuccess: tell the topic, and remember how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore import messages
from aurora_restore.clock import parse_iso
from aurora_restore.context import Context
from aurora_restore.steps.notifying import publish_once
from aurora_restore.store import resource_key


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Publish the success; returns `message_id` and `seconds` since the execution started."""
    plan = document["plan"]
    seconds = context.now() - int(parse_iso(document["execution"]["started_at"]).timestamp())
    subject, text = messages.succeeded(context.settings, plan, seconds, document)
    message_id = publish_once(context, plan["operation_id"], "NotifySuccess", subject, text)
    if plan["action"] == "restore":
        _remember(context, plan, document, seconds)
    return {"message_id": message_id, "seconds": seconds}


def _remember(context: Context, plan: Mapping[str, Any], document: Mapping[str, Any], seconds: int) -> None:
    """So that the next restore of this target knows how long it will take."""
    phases = {name: int(document[name]["seconds"]) for name in ("copy", "restore", "instances") if name in document}
    resource = resource_key(plan["target"]["region"], plan["target"]["cluster"])
    context.store.remember(resource, plan["operation_id"], {"total": seconds, **phases})

"""NotifyStart: tell the topic what is about to happen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore import messages
from aurora_restore.context import Context
from aurora_restore.steps.notifying import publish_once


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Publish the start; returns `message_id`."""
    plan = document["plan"]
    subject, text = messages.started(context.settings, plan)
    return {"message_id": publish_once(context, plan["operation_id"], "NotifyStart", subject, text)}

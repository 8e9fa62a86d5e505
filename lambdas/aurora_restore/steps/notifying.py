"""Publishing a notification once per operation."""

from __future__ import annotations

from aurora_restore.context import Context


def publish_once(context: Context, operation_id: str, step: str, subject: str, text: str) -> str:
    """Publish unless the journal says that `step` did; returns the message's id.

    A kill between the call and the journal doubles the message: rather twice than never.
    """
    operation = context.store.read(operation_id)
    known = operation.entry(step).get("message_id") if operation else None
    if known:
        return str(known)
    message_id = context.notifications.publish(subject, text)
    if operation:
        context.store.journal(operation_id, step, {"message_id": message_id})
    return message_id

"""The Lambda function of the state NotifyStart."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import notify_start

handler = build_handler("NotifyStart", notify_start.run)

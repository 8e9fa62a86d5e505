"""The Lambda function of the state NotifySuccess."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import notify_success

handler = build_handler("NotifySuccess", notify_success.run)

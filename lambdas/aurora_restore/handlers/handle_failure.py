"""The Lambda function of the state HandleFailure."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import handle_failure

handler = build_handler("HandleFailure", handle_failure.run, advances="failure")

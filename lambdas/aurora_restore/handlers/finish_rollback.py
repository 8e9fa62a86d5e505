"""The Lambda function of the state FinishRollback."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import finish_rollback

handler = build_handler("FinishRollback", finish_rollback.run)

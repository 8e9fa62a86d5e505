"""The Lambda function of the state CheckRollback."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import check_rollback

handler = build_handler("CheckRollback", check_rollback.run)

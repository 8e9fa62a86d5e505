"""The Lambda function of the state CheckRestoreStatus."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import check_restore_status

handler = build_handler("CheckRestoreStatus", check_restore_status.run, advances="restore")

"""The Lambda function of the state CheckCopyStatus."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import check_copy_status

handler = build_handler("CheckCopyStatus", check_copy_status.run, advances="copy")

"""The Lambda function of the state VerifyRestore."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import verify_restore

handler = build_handler("VerifyRestore", verify_restore.run)

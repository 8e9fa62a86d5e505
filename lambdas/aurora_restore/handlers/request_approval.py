"""The Lambda function of the state RequestApproval."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import request_approval

handler = build_handler("RequestApproval", request_approval.run)

"""The Lambda function of the state ResetCredentials."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import reset_credentials

handler = build_handler("ResetCredentials", reset_credentials.run, advances="credentials")

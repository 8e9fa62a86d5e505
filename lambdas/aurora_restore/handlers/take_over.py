"""The Lambda function of the state TakeOver."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import take_over

handler = build_handler("TakeOver", take_over.run, advances="taken")

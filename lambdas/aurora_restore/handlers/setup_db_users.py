"""The Lambda function of the state SetupDbUsers."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import setup_db_users

handler = build_handler("SetupDbUsers", setup_db_users.run)

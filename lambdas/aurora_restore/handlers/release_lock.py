"""The Lambda function of the state ReleaseLock."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import release_lock

handler = build_handler("ReleaseLock", release_lock.run)

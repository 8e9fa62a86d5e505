"""The Lambda function of the state AcquireLock."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import acquire_lock

handler = build_handler("AcquireLock", acquire_lock.run)

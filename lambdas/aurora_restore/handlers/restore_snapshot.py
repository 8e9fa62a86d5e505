"""The Lambda function of the state RestoreSnapshot."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import restore_snapshot

handler = build_handler("RestoreSnapshot", restore_snapshot.run)

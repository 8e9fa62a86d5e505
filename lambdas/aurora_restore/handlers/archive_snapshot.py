"""The Lambda function of the state ArchiveSnapshot."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import archive_snapshot

handler = build_handler("ArchiveSnapshot", archive_snapshot.run)

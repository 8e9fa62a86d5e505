"""The Lambda function of the state CopySnapshot."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import copy_snapshot

handler = build_handler("CopySnapshot", copy_snapshot.run, advances="copy")

"""The Lambda function of the state SnapshotCheck."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import snapshot_check

handler = build_handler("SnapshotCheck", snapshot_check.run)

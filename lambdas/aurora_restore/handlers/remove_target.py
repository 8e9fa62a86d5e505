"""The Lambda function of the state RemoveTarget."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import remove_target

handler = build_handler("RemoveTarget", remove_target.run, advances="removal")

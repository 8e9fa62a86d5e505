"""The Lambda function of the state CheckInstances."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import check_instances

handler = build_handler("CheckInstances", check_instances.run, advances="instances")

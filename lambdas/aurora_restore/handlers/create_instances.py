"""The Lambda function of the state CreateInstances."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import create_instances

handler = build_handler("CreateInstances", create_instances.run)

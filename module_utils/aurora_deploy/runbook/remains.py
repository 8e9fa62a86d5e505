"""What the removal of a deployment leaves standing, and whether it may begin at all."""

from __future__ import annotations

from collections.abc import Iterator

from aurora_deploy import keys
from aurora_deploy.clients import Aws
from aurora_deploy.errors import is_code
from aurora_deploy.runbook.execution import StateMachine
from aurora_deploy.runbook.text import moment


def running(aws: Aws, machine: StateMachine) -> list[str]:
    """Return the names of the executions that run; none where the state machine does not exist."""
    try:
        found = aws.pages(
            "stepfunctions", "list_executions", "executions", stateMachineArn=machine.arn, statusFilter="RUNNING"
        )
        return [execution["name"] for execution in found]
    except Exception as error:
        if is_code(error, "StateMachineDoesNotExist"):
            return []
        raise


def remains(aws: Aws, name_prefix: str, key_alias: str) -> list[str]:
    """Return a line about each thing that stays: clusters and snapshots that restores made, and the key."""
    return [*_databases(aws, name_prefix), *_key(aws, key_alias)]


def _databases(aws: Aws, name_prefix: str) -> Iterator[str]:
    """A removed deployment never takes data with it: what restores made or replaced is known by its tags."""
    kinds = {
        "cluster": ("describe_db_clusters", "DBClusters", "DBClusterIdentifier", {}),
        "snapshot": (
            "describe_db_cluster_snapshots",
            "DBClusterSnapshots",
            "DBClusterSnapshotIdentifier",
            {"SnapshotType": "manual"},
        ),
    }
    for kind, (operation, key, identifier, filters) in kinds.items():
        for each in aws.pages("rds", operation, key, **filters):
            tags = {entry["Key"]: entry["Value"] for entry in each.get("TagList", [])}
            if until := tags.get(f"{name_prefix}:expires-at"):
                yield f"{kind} {each[identifier]}, kept until {until}; nothing removes it any more"
            elif operation_id := tags.get(f"{name_prefix}:operation"):
                yield f"{kind} {each[identifier]}, made by operation {operation_id}"


def _key(aws: Aws, alias: str) -> Iterator[str]:
    key = keys.describe(aws, alias) or keys.find_by_tags(aws, alias)
    if key and key["KeyState"] == "PendingDeletion":
        yield (
            f"KMS key {key['KeyId']}, which AWS deletes on {moment(key['DeletionDate'])}; "
            "until then the next deployment takes it back. What is encrypted with it is lost with it"
        )
    elif key:
        yield f"KMS key {key['KeyId']} ({alias}), {key['KeyState']}"

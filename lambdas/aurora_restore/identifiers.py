"""Deterministic names: a step that runs twice means the same resource twice."""

from __future__ import annotations

import re

MAX_LENGTH = 63  # CreateDBCluster, CreateDBInstance, CopyDBClusterSnapshot: identifiers hold 1 to 63 characters
OPERATION_ID = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
IDENTIFIER = re.compile(r"[a-z](?:-?[a-z0-9])*")


def is_operation_id(text: str) -> bool:
    """Whether the text can serve as operation_id: lower case, digits, single hyphens, 6 to 24 characters."""
    return 6 <= len(text) <= 24 and OPERATION_ID.fullmatch(text) is not None


def is_identifier(text: str) -> bool:
    """Whether RDS takes the text as a cluster's or instance's identifier. RDS stores them in lower case."""
    return len(text) <= MAX_LENGTH and IDENTIFIER.fullmatch(text) is not None


def new_cluster(target: str, operation_id: str) -> str:
    return f"{target}-{operation_id}"


def new_instance(target: str, operation_id: str, number: int) -> str:
    """`number` counts from 1: the future writer first."""
    return f"{new_cluster(target, operation_id)}-{number}"


def old_cluster(target: str, operation_id: str) -> str:
    return f"{target}-old-{operation_id}"


def old_instance(target: str, operation_id: str, number: int) -> str:
    return f"{old_cluster(target, operation_id)}-{number}"


def snapshot_copy(target: str, operation_id: str) -> str:
    """The copy that is restored from, in the target's region."""
    return f"{target}-copy-{operation_id}"


def snapshot_hop(target: str, operation_id: str) -> str:
    """A copy on the way, in another region: named apart from what a deployment there would call its last one."""
    return f"{target}-hop-{operation_id}"


def final_snapshot(cluster: str) -> str:
    """Of a cluster whose time is over; snapshots' names may be longer than clusters'."""
    return f"{cluster}-final"


def target_final_snapshot(target: str, operation_id: str) -> str:
    """Of the target, where the strategy `replace` removes it."""
    return f"{target}-final-{operation_id}"


def misfits(target: str, operation_id: str, instances: int) -> list[str]:
    """The names an operation would need that RDS would refuse, each with its length; empty when all fit."""
    names = [
        snapshot_copy(target, operation_id),
        new_instance(target, operation_id, max(instances, 1)),
        old_instance(target, operation_id, max(instances, 1)),
        target_final_snapshot(target, operation_id),
    ]
    return [f"{name} ({len(name)} characters)" for name in names if not is_identifier(name)]

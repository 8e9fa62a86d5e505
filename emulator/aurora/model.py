"""What exists: clusters, instances, snapshots and groups, per account and region.

A resource keeps the attributes that AWS describes under AWS's own names, in `attributes`, so that whatever a request
set comes back as it was; only what the emulator computes or must not show stands beside them.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .clock import now
from .engines import Database

Attributes = dict[str, Any]

_KEPT_EVENTS = 1000
DEFAULT_QUOTAS = {"DBClusters": 40, "DBInstances": 40, "ManualClusterSnapshots": 100, "ConcurrentSnapshotCopies": 5}


def resource_id(prefix: str) -> str:
    """An immutable id such as `cluster-ABCDEF...`."""
    return prefix + "-" + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(26))


@dataclass(eq=False)
class Resource:
    """Something with a name, a status and tags."""

    realm: Realm
    name: str
    attributes: Attributes
    status: str = "creating"
    tags: dict[str, str] = field(default_factory=dict)

    arn_type = ""

    @property
    def arn(self) -> str:
        return f"arn:aws:rds:{self.realm.region}:{self.realm.account}:{self.arn_type}:{self.name}"


@dataclass(eq=False)
class Cluster(Resource):
    """An Aurora cluster. `DbClusterResourceId` in its attributes survives renames, its name does not."""

    arn_type = "cluster"
    database: Database = field(kw_only=True)
    instances: list[Instance] = field(default_factory=list)
    pending: Attributes = field(default_factory=dict)
    claimed_name: str | None = None
    refuses_connections: bool = False
    open_addresses: set[str] = field(default_factory=set)
    copy_on_write_clones: int = 0

    @property
    def engine(self) -> str:
        return str(self.attributes["Engine"])


@dataclass(eq=False)
class Instance(Resource):
    """A member of a cluster; the first one, or the failover's choice, is the writer."""

    arn_type = "db"
    cluster: Cluster = field(kw_only=True)
    claimed_name: str | None = None
    serving: bool = False

    @property
    def is_writer(self) -> bool:
        return bool(self.cluster.instances) and self.cluster.instances[0] is self


@dataclass(eq=False)
class Snapshot(Resource):
    """A cluster snapshot. Its image is never written to, so copies of the snapshot share it."""

    arn_type = "cluster-snapshot"
    image: Path | None = None
    shared_with: set[str] = field(default_factory=set)
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def is_manual(self) -> bool:
        return bool(self.attributes["SnapshotType"] == "manual")


@dataclass(eq=False)
class Group(Resource):
    """A subnet group or parameter group; `arn_type` depends on the kind."""

    kind: str = ""

    @property
    def arn(self) -> str:
        return f"arn:aws:rds:{self.realm.region}:{self.realm.account}:{self.kind}:{self.name}"


@dataclass(frozen=True)
class Event:
    """One line of DescribeEvents."""

    source_type: str
    source: Resource
    name: str
    message: str
    moment: datetime


@dataclass(eq=False)
class Realm:
    """One account's resources in one region."""

    account: str
    region: str
    clusters: dict[str, Cluster] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    subnet_groups: dict[str, Group] = field(default_factory=dict)
    cluster_parameter_groups: dict[str, Group] = field(default_factory=dict)
    parameter_groups: dict[str, Group] = field(default_factory=dict)
    quotas: dict[str, int] = field(default_factory=lambda: dict(DEFAULT_QUOTAS))
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=_KEPT_EVENTS))

    def record(self, source_type: str, source: Resource, message: str) -> None:
        """Add an event."""
        self.events.append(Event(source_type, source, source.name, message, now()))

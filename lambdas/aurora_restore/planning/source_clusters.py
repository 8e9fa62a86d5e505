"""Sources that are clusters in being: a point in time, the latest restorable time, a copy-on-write clone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from aurora_restore.aws.rds import Rds
from aurora_restore.aws.rds_types import Cluster
from aurora_restore.clock import iso, parse_iso
from aurora_restore.errors import (
    EncryptionNotPossible,
    InvalidRequest,
    SourceNotAvailable,
    SourceNotFound,
    TimeNotRestorable,
)
from aurora_restore.settings import Settings

if TYPE_CHECKING:  # its schema would be a fifth of the cold start of steps that only need the names here
    from aurora_restore.request import Source

FULL_COPY, COPY_ON_WRITE = "full-copy", "copy-on-write"  # RestoreDBClusterToPointInTime, RestoreType
TYPES = {"point_in_time": FULL_COPY, "latest_restorable_time": FULL_COPY, "clone": COPY_ON_WRITE}
AT_REST = ("available", "backing-up")
CLONES = 15  # AUG, "Cloning a volume", up to 2024: more of one source, or of its clones, are no clones any more


@dataclass(frozen=True)
class Chosen:
    """A cluster, how to restore from it, and the `time` to go back to; None means as late as possible."""

    cluster: Cluster
    restore_type: str
    time: datetime | None
    data_time: datetime | None
    text: str


def require_home(region: str, settings: Settings) -> None:
    """RestoreDBClusterToPointInTime knows clusters of its own region only."""
    if region != settings.region:
        raise InvalidRequest(
            f"source.region is {region}: points in time and clones are of clusters in {settings.region} only.",
            remedy=f"Use a snapshot of the cluster: that is copied to {settings.region}.",
        )


def choose(source: Source, rds: Rds) -> Chosen:
    """The cluster in its state. Raises SourceNotFound, SourceNotAvailable and TimeNotRestorable."""
    name, restore_type = str(source.cluster), TYPES[source.type]
    cluster = rds.find_cluster(name)
    if cluster is None:
        raise SourceNotFound(f"There is no cluster {name} to restore from.")
    if cluster.status not in AT_REST:
        raise SourceNotAvailable(f"Cluster {name} is {cluster.status}.")
    if restore_type == COPY_ON_WRITE:
        if not cluster.members:  # AUG, "Cloning a volume", limitations
            raise SourceNotAvailable(
                f"Cluster {name} has no instances, and such a cluster cannot be cloned.",
                remedy="Give the source an instance, or use source type latest_restorable_time.",
            )
        return Chosen(cluster, restore_type, None, None, f"a clone of {name}")
    latest = cluster.raw.get("LatestRestorableTime")
    if source.time is None:
        return Chosen(cluster, restore_type, None, latest, f"{name} at its latest restorable time")
    time = parse_iso(source.time)
    _require_restorable(cluster, time)
    return Chosen(cluster, restore_type, time, time, f"{name} as of {iso(time)}")


def require_encryption(source: Cluster, wanted: bool) -> None:
    """The API refuses KmsKeyId for an unencrypted source; what must be encrypted never becomes unencrypted."""
    if wanted and not source.encrypted:
        raise EncryptionNotPossible(f"Cluster {source.cluster_id} is not encrypted, the new cluster must be.")


def _require_restorable(cluster: Cluster, time: datetime) -> None:
    earliest, latest = (cluster.raw.get(f"{which}RestorableTime") for which in ("Earliest", "Latest"))
    if (earliest and time < earliest) or (latest and time > latest):
        bounds = " to ".join(iso(bound) if bound else "now" for bound in (earliest, latest))
        raise TimeNotRestorable(f"{iso(time)} is outside of what {cluster.cluster_id} can be restored to: {bounds}.")

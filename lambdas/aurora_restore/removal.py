"""How far the removal of a target came, with which the strategy `replace` begins: the entry of the journal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aurora_restore.store import Operation

STEP = "RemoveTarget"


class Phase(StrEnum):
    """How far the removal is: the journal's entry `RemoveTarget`, key `phase`."""

    NONE = ""
    SNAPSHOT = "snapshot"  # the target is as it was
    INSTANCES = "instances"
    CLUSTER = "cluster"
    MADE = "made"


@dataclass(frozen=True)
class Removal:
    """What the journal says: `way_back` makes the target again, in the shape of a plan (`planning/mirror.py`)."""

    phase: Phase
    resource_id: str
    snapshot_id: str
    way_back: Mapping[str, Any]

    @property
    def began(self) -> bool:
        """Whether something of the target may be gone."""
        return self.phase not in (Phase.NONE, Phase.SNAPSHOT)

    @property
    def handed_over(self) -> bool:
        """Whether the final snapshot is all there may be of the target: it is never deleted."""
        return self.phase in (Phase.CLUSTER, Phase.MADE)


def removal(operation: Operation | None) -> Removal:
    """How far the removal of an operation's target came."""
    entry = operation.entry(STEP) if operation else {}
    return Removal(
        Phase(entry.get("phase", "")),
        str(entry.get("cluster_resource_id", "")),
        str(entry.get("final_snapshot", "")),
        entry.get("way_back", {}),
    )

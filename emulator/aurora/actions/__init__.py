"""The API's actions, one module per kind of resource. Importing this package registers them all."""

from . import (
    clusters,
    copies,
    groups,
    instances,
    modify_cluster,
    modify_instance,
    overview,
    restores,
    sharing,
    snapshots,
    tags,
)
from .registry import Call, perform

__all__ = [
    "Call",
    "clusters",
    "copies",
    "groups",
    "instances",
    "modify_cluster",
    "modify_instance",
    "overview",
    "perform",
    "restores",
    "sharing",
    "snapshots",
    "tags",
]

"""The API's actions, one module per kind of resource. Importing this package registers them all."""

from . import (
    catalog,
    clusters,
    copies,
    groups,
    instances,
    modify_cluster,
    modify_instance,
    restores,
    sharing,
    snapshots,
    tags,
)
from .registry import Call, perform

__all__ = [
    "Call",
    "catalog",
    "clusters",
    "copies",
    "groups",
    "instances",
    "modify_cluster",
    "modify_instance",
    "perform",
    "restores",
    "sharing",
    "snapshots",
    "tags",
]

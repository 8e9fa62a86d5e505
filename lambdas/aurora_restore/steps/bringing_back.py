"""The undo of a removal (`remove_target.py`): the target as it was, from what still stands or from its snapshot.

Like all of the undo it looks at the real world first, and can be called again until there is nothing left to do. What
AWS refuses is no end of it: a database is down, and a quota or a permission may be mended while this goes on trying.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from aurora_restore.aws.rds_types import Cluster
from aurora_restore.context import Context
from aurora_restore.errors import AwsCallFailed, ResourceBusy, ResourceExists, RetryableAwsError
from aurora_restore.removal import Removal, removal
from aurora_restore.steps import check_instances, check_restore_status, create_instances, restore_snapshot
from aurora_restore.steps.archive_snapshot import finish_cluster
from aurora_restore.steps.undo_progress import Progress
from aurora_restore.store import Operation


def bring_back(context: Context, operation: Operation, progress: Progress) -> None:
    """The next step towards a target that is as it was. Raises RetryableAwsError only."""
    found = removal(operation)
    if not found.snapshot_id:
        return
    try:
        _next_step(context, operation.operation_id, found, progress)
    except RetryableAwsError:
        raise
    except (ResourceBusy, ResourceExists) as error:  # the world moved since it was looked at
        progress.waiting.append(f"cluster {_name(found)}: {error.aws_code}")
    except AwsCallFailed as error:
        progress.stuck(f"cluster {_name(found)}: {error.message}")


def _next_step(context: Context, operation_id: str, found: Removal, progress: Progress) -> None:
    name, settings = _name(found), context.settings
    cluster = context.rds.find_cluster(name)
    if cluster and cluster.status == "deleting":
        progress.waiting.append(f"cluster {name} is deleting")
    elif cluster is None and not found.began:
        progress.undone.append(f"cluster {name} was removed by somebody else; {found.snapshot_id} is kept")
    elif cluster is None:
        restore = found.way_back["restore"]
        context.rds.restore_cluster_from_snapshot(**restore_snapshot.arguments(restore))
        progress.waiting.append(f"cluster {name} is being restored from {found.snapshot_id}")
    elif cluster.resource_id == found.resource_id:
        if found.began and _is_whole(context, operation_id, found, cluster, progress):
            progress.undone.append(f"cluster {name} still stood and is as it was")
        if not progress.waiting:
            _remove_snapshot(context, operation_id, found, progress)
    elif cluster.tags.get(settings.restored_tag) == operation_id:
        if _is_whole(context, operation_id, found, cluster, progress):
            progress.undone.append(_brought_back(context, found))
    else:
        progress.stuck(f"another cluster holds the name {name}: rename or remove it")


def _is_whole(context: Context, operation_id: str, found: Removal, cluster: Cluster, progress: Progress) -> bool:
    """Whether the cluster has its instances and settings again; otherwise the next step towards it is made."""
    name = cluster.cluster_id
    if cluster.status != "available":
        failed = cluster.status in check_restore_status.FAILED
        (progress.stuck if failed else progress.waiting.append)(f"cluster {name} is {cluster.status}")
        return False
    existing = {item.instance_id: item for item in context.rds.cluster_instances(name)}
    for planned in found.way_back["instances"]:  # the writer first
        instance = existing.get(planned["id"])
        if instance is None:
            context.rds.create_instance(**create_instances.arguments(found.way_back, planned))
            progress.waiting.append(f"instance {planned['id']} is being made again")
        elif instance.status != "available":
            failed = instance.status in check_instances.FAILED - {"deleting"}
            (progress.stuck if failed else progress.waiting.append)(f"instance {planned['id']} is {instance.status}")
        elif instance.tags.get(context.settings.replaced_tag) == operation_id:
            context.rds.remove_tags(instance.arn, [context.settings.replaced_tag])
    if progress.waiting:
        return False
    managed = found.way_back["restore"]["managed_master"]
    if managed and "MasterUserSecret" not in cluster.raw:  # a restored cluster has none
        key = {"MasterUserSecretKmsKeyId": managed["kms_key_id"]} if managed["kms_key_id"] else {}
        context.rds.modify_cluster(name, ManageMasterUserPassword=True, **key)
        progress.waiting.append(f"RDS makes a master secret for {name}")
        return False
    check_instances.settle(context, found.way_back, cluster)
    finish_cluster(context, found.way_back, cluster)
    return True


def _remove_snapshot(context: Context, operation_id: str, found: Removal, progress: Progress) -> None:
    """The cluster it is of still stands. Once it was handed over, it is kept all the same."""
    snapshot = context.rds.find_snapshot(found.snapshot_id)
    if snapshot is None:
        progress.undone.append(f"final snapshot {found.snapshot_id} was removed")
    elif snapshot.tags.get(context.settings.operation_tag) == operation_id:
        progress.delete(partial(context.rds.delete_snapshot, snapshot.snapshot_id), snapshot.snapshot_id)
    else:
        progress.undone.append(f"final snapshot {found.snapshot_id} is kept")


def _brought_back(context: Context, found: Removal) -> str:
    snapshot = context.rds.find_snapshot(found.snapshot_id)
    moment = snapshot.created_text if snapshot else None
    managed = "; RDS keeps its master password in a new secret" if found.way_back["restore"]["managed_master"] else ""
    return (
        f"cluster {_name(found)} was brought back from its final snapshot {found.snapshot_id} of {moment}, which is "
        f"kept; what was written after that is lost{managed}"
    )


def _name(found: Removal) -> str:
    restore: Mapping[str, Any] = found.way_back["restore"]
    return str(restore["cluster_id"])

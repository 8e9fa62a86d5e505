"""CheckInstances: are all instances available?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora_restore.context import Context
from aurora_restore.errors import InstanceFailed
from aurora_restore.steps.progress import finished, waiting

# RDS User Guide, "Viewing Amazon RDS DB instance status": what a new instance does not leave by itself.
FAILED = frozenset(
    {
        "deleting",
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-create",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "insufficient-capacity",
        "restore-error",
        "storage-full",
    }
)


def run(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """`status` by instance, and `done`. Raises InstanceFailed or WaitTimedOut."""
    plan, instances = document["plan"], document["instances"]
    found = {item.instance_id: item.status for item in context.rds.cluster_instances(plan["restore"]["cluster_id"])}
    status = {name: found.get(name, "missing") for name in instances["instance_ids"]}
    broken = [f"{name} is {state}" for name, state in status.items() if state in FAILED or state == "missing"]
    if broken:
        raise InstanceFailed(f"The new cluster's instances cannot be used: {'; '.join(broken)}.")
    since = int(instances["since"])
    seen = {**instances, "status": status}
    if all(state == "available" for state in status.values()):
        return {**seen, **finished(context, since)}
    what = "; ".join(f"{name} ({state})" for name, state in status.items() if state != "available")
    return {**seen, **waiting(context, plan, what, since=since, phase="instances")}

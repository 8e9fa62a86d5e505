"""ModifyDBInstance."""

from __future__ import annotations

from typing import Any

from .. import attributes, rules, timing, views
from ..errors import invalid_combination
from ..model import Instance
from .instances import check_class, check_parameter_group, restart
from .registry import Call, action

# What an instance shows but has from its cluster (API reference, "Amazon Aurora: Not applicable").
_OF_THE_CLUSTER = (
    "EngineVersion",
    "BackupRetentionPeriod",
    "PreferredBackupWindow",
    "MasterUserPassword",
    "DeletionProtection",
    "DBPortNumber",
    "AllocatedStorage",
)


@action("ModifyDBInstance")
def modify_instance(call: Call) -> dict[str, Any]:
    """Change an instance's class, name or options. A new class or name waits for ApplyImmediately."""
    instance = rules.available_instance(rules.instance(call.realm, call["DBInstanceIdentifier"]))
    if refused := [name for name in _OF_THE_CLUSTER if name in call.parameters]:
        raise invalid_combination(f"{', '.join(refused)}: modify the DB cluster {instance.cluster.name} instead.")
    new_name = _new_name(call)
    changes = attributes.from_request(call.parameters, "DBInstance")
    new_class = changes.pop("DBInstanceClass", instance.attributes["DBInstanceClass"])
    if new_class != instance.attributes["DBInstanceClass"]:
        check_class(call, instance.cluster)
    if group := call.get("DBParameterGroupName"):
        changes["DBParameterGroups"] = check_parameter_group(call.realm, group)
    if changes.get("PerformanceInsightsEnabled"):
        changes.setdefault("PerformanceInsightsRetentionPeriod", 7)
    instance.attributes |= changes
    _apply(call, instance, new_name, new_class)
    return {"DBInstance": views.instance(call.world, instance)}


def _new_name(call: Call) -> str | None:
    if "NewDBInstanceIdentifier" not in call.parameters:
        return None
    name = rules.identifier(call["NewDBInstanceIdentifier"], "NewDBInstanceIdentifier")
    return None if name == rules.last_part(call["DBInstanceIdentifier"]) else rules.free_instance_name(call.realm, name)


def _apply(call: Call, instance: Instance, new_name: str | None, new_class: str) -> None:
    resized = new_class != instance.attributes["DBInstanceClass"]
    if not call.get("ApplyImmediately", False):
        if new_name:
            instance.attributes["PendingModifiedValues"]["DBInstanceIdentifier"] = new_name
        if resized:
            instance.attributes["PendingModifiedValues"]["DBInstanceClass"] = new_class
        return

    def apply() -> None:
        instance.attributes["DBInstanceClass"] = new_class
        if new_name:
            del call.realm.instances[instance.name]
            instance.name, instance.claimed_name = new_name, None
            call.realm.instances[new_name] = instance

    if new_name:
        instance.claimed_name = new_name
        restart(call, instance, "renaming", timing.RENAME, apply)
    elif resized:
        restart(call, instance, "modifying", timing.MODIFY_INSTANCE, apply)

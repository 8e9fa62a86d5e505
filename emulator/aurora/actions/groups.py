"""Subnet groups and parameter groups. Those named default.* are always there; only their names matter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import listing, neighbours, rules, views
from ..catalogue import families
from ..errors import RdsError, invalid_value
from ..model import Attributes, Group, Realm
from .registry import Call, action


@action("CreateDBSubnetGroup")
def create_subnet_group(call: Call) -> dict[str, Any]:
    """A group over subnets of one VPC in at least two zones."""
    name = call["DBSubnetGroupName"].lower()
    if name == "default" or name in call.realm.subnet_groups:
        raise RdsError("DBSubnetGroupAlreadyExistsFault", f"The DB subnet group '{name}' already exists.")
    attributes = _subnet_attributes(call, call["DBSubnetGroupDescription"])
    group = Group(call.realm, name, attributes, "available", rules.new_tags(call.get("Tags")), kind="subgrp")
    call.realm.subnet_groups[name] = group
    return {"DBSubnetGroup": views.subnet_group(group)}


@action("ModifyDBSubnetGroup")
def modify_subnet_group(call: Call) -> dict[str, Any]:
    """Replace a group's subnets."""
    group = _subnet_group(call.realm, call["DBSubnetGroupName"])
    description = call.get("DBSubnetGroupDescription", group.attributes["DBSubnetGroupDescription"])
    group.attributes = _subnet_attributes(call, description)
    return {"DBSubnetGroup": views.subnet_group(group)}


@action("DescribeDBSubnetGroups")
def describe_subnet_groups(call: Call) -> dict[str, Any]:
    """One group by name, `default` included, or all that were created."""
    name = call.get("DBSubnetGroupName")
    if name == "default":
        return listing.page(call, [views.default_subnet_group(call.realm)], "DBSubnetGroups", views.subnet_group)
    found = (
        [_subnet_group(call.realm, name)] if name else sorted(call.realm.subnet_groups.values(), key=lambda g: g.name)
    )
    return listing.page(call, found, "DBSubnetGroups", views.subnet_group)


@action("DeleteDBSubnetGroup")
def delete_subnet_group(call: Call) -> dict[str, Any]:
    """Delete a group that no cluster uses."""
    group = _subnet_group(call.realm, call["DBSubnetGroupName"])
    if any(cluster.attributes["DBSubnetGroup"] == group.name for cluster in call.realm.clusters.values()):
        raise RdsError(
            "InvalidDBSubnetGroupStateFault", f"Cannot delete the subnet group '{group.name}': a cluster is using it."
        )
    del call.realm.subnet_groups[group.name]
    return {}


def _subnet_attributes(call: Call, description: str) -> Attributes:
    subnets = neighbours.subnets(call.realm, call["SubnetIds"])
    if len({subnet["VpcId"] for subnet in subnets}) != 1:
        raise RdsError("InvalidSubnet", "Subnets of a DB subnet group must all be in one VPC.")
    if len({subnet["AvailabilityZone"] for subnet in subnets}) < 2:
        raise RdsError(
            "DBSubnetGroupDoesNotCoverEnoughAZs", "The DB subnet group must cover at least two Availability Zones."
        )
    return views.subnet_group_attributes(subnets, description)


def _subnet_group(realm: Realm, name: str) -> Group:
    group = realm.subnet_groups.get(name.lower())
    if group is None:
        raise RdsError("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.")
    return group


def _create(call: Call, groups: dict[str, Group], name: str, kind: str) -> Group:
    family = call["DBParameterGroupFamily"]
    if family not in dict(families()):
        raise invalid_value(f"ParameterGroupFamily {family} is not a valid parameter group family")
    lowered = rules.identifier(name, "DBParameterGroupName", 255)
    if lowered in groups:
        raise RdsError("DBParameterGroupAlreadyExistsFault", f"Parameter group {lowered} already exists")
    attributes = {"DBParameterGroupFamily": family, "Description": call["Description"]}
    groups[lowered] = Group(call.realm, lowered, attributes, "available", rules.new_tags(call.get("Tags")), kind=kind)
    return groups[lowered]


def _all(realm: Realm, groups: dict[str, Group], kind: str) -> list[Group]:
    defaults: Iterable[Group] = (
        Group(
            realm,
            f"default.{family}",
            {"DBParameterGroupFamily": family, "Description": f"Default for {family}"},
            "available",
            kind=kind,
        )
        for family, _ in families()
    )
    return [*defaults, *sorted(groups.values(), key=lambda group: group.name)]


def _cluster_view(group: Group) -> Attributes:
    return group.attributes | {"DBClusterParameterGroupName": group.name, "DBClusterParameterGroupArn": group.arn}


def _instance_view(group: Group) -> Attributes:
    return group.attributes | {"DBParameterGroupName": group.name, "DBParameterGroupArn": group.arn}


def _named(found: list[Group], name: str | None, fault: str) -> list[Group]:
    if name is None:
        return found
    found = [group for group in found if group.name == rules.last_part(name)]
    if not found:
        raise RdsError(fault, f"Parameter group not found: {name}")
    return found


@action("CreateDBClusterParameterGroup")
def create_cluster_group(call: Call) -> dict[str, Any]:
    """A cluster parameter group; its parameters are not emulated."""
    group = _create(call, call.realm.cluster_parameter_groups, call["DBClusterParameterGroupName"], "cluster-pg")
    return {"DBClusterParameterGroup": _cluster_view(group)}


@action("DescribeDBClusterParameterGroups")
def describe_cluster_groups(call: Call) -> dict[str, Any]:
    """One group by name, or all with the defaults."""
    found = _all(call.realm, call.realm.cluster_parameter_groups, "cluster-pg")
    found = _named(found, call.get("DBClusterParameterGroupName"), "DBParameterGroupNotFoundFault")
    return listing.page(call, found, "DBClusterParameterGroups", _cluster_view)


@action("DeleteDBClusterParameterGroup")
def delete_cluster_group(call: Call) -> dict[str, Any]:
    """Delete a group that no cluster uses."""
    name = call["DBClusterParameterGroupName"].lower()
    used = any(cluster.attributes["DBClusterParameterGroup"] == name for cluster in call.realm.clusters.values())
    return _delete(call.realm.cluster_parameter_groups, name, used)


@action("CreateDBParameterGroup")
def create_group(call: Call) -> dict[str, Any]:
    """An instance parameter group; its parameters are not emulated."""
    return {
        "DBParameterGroup": _instance_view(
            _create(call, call.realm.parameter_groups, call["DBParameterGroupName"], "pg")
        )
    }


@action("DescribeDBParameterGroups")
def describe_groups(call: Call) -> dict[str, Any]:
    """One group by name, or all with the defaults."""
    found = _named(
        _all(call.realm, call.realm.parameter_groups, "pg"),
        call.get("DBParameterGroupName"),
        "DBParameterGroupNotFoundFault",
    )
    return listing.page(call, found, "DBParameterGroups", _instance_view)


@action("DeleteDBParameterGroup")
def delete_group(call: Call) -> dict[str, Any]:
    """Delete a group that no instance uses."""
    name = call["DBParameterGroupName"].lower()
    used = any(
        group["DBParameterGroupName"] == name
        for instance in call.realm.instances.values()
        for group in instance.attributes["DBParameterGroups"]
    )
    return _delete(call.realm.parameter_groups, name, used)


def _delete(groups: dict[str, Group], name: str, used: bool) -> dict[str, Any]:
    if name not in groups:
        raise RdsError("DBParameterGroupNotFoundFault", f"Parameter group not found: {name}")
    if used:
        raise RdsError("InvalidDBParameterGroupStateFault", f"The parameter group {name} is in use.")
    del groups[name]
    return {}

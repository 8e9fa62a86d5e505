"""AddTagsToResource, RemoveTagsFromResource, ListTagsForResource."""

from __future__ import annotations

from typing import Any

from .. import rules, views
from ..errors import RdsError, invalid_value
from ..model import Realm, Resource
from .registry import Call, action


def find(realm: Realm, arn: str) -> Resource:
    """The resource of an ARN. Raises RdsError by the resource's own NotFound fault."""
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[2] != "rds":
        raise invalid_value(f"Invalid resource name: {arn}")
    _, _, _, region, account, kind, name = parts
    groups = {"subgrp": realm.subnet_groups, "cluster-pg": realm.cluster_parameter_groups, "pg": realm.parameter_groups}
    if (account, region) != (realm.account, realm.region):
        raise invalid_value(f"The specified resource name does not match an RDS resource in this region: {arn}")
    if kind == "cluster":
        return rules.cluster(realm, name)
    if kind == "db":
        return rules.instance(realm, name)
    if kind == "cluster-snapshot":
        return rules.snapshot(realm, arn)
    if kind in groups and name in groups[kind]:
        return groups[kind][name]
    raise RdsError("InvalidParameterValue", f"The specified resource name does not match an RDS resource: {arn}")


@action("AddTagsToResource")
def add_tags(call: Call) -> dict[str, Any]:
    """Set tags."""
    resource = find(call.realm, call["ResourceName"])
    resource.tags |= rules.new_tags(call["Tags"])
    return {}


@action("RemoveTagsFromResource")
def remove_tags(call: Call) -> dict[str, Any]:
    """Remove tags; absent ones are no error."""
    resource = find(call.realm, call["ResourceName"])
    for key in call["TagKeys"]:
        resource.tags.pop(key, None)
    return {}


@action("ListTagsForResource")
def list_tags(call: Call) -> dict[str, Any]:
    """A resource's tags."""
    return {"TagList": views.tag_list(find(call.realm, call["ResourceName"]))}

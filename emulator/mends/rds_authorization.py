"""Every RDS call is authorized on the resources it names, with their tags.

ministack knows clusters and instances only, so that a policy on a snapshot or a subnet group would have to allow
``*``. Which parameters name which resources: Service Authorization Reference, "Actions, resources, and condition keys
for Amazon RDS"; its dependent actions are authorized too: what a call tags, and since August 2024 the final snapshot
that DeleteDBCluster makes.
"""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import tagging

from emulator import aurora
from emulator.settings import Settings

_TYPES = {
    "DBClusterIdentifier": "cluster",
    "SourceDBClusterIdentifier": "cluster",
    "DBInstanceIdentifier": "db",
    "DBClusterSnapshotIdentifier": "cluster-snapshot",
    "SourceDBClusterSnapshotIdentifier": "cluster-snapshot",
    "TargetDBClusterSnapshotIdentifier": "cluster-snapshot",
    "SnapshotIdentifier": "cluster-snapshot",
    "FinalDBSnapshotIdentifier": "cluster-snapshot",
    "DBSubnetGroupName": "subgrp",
    "DBClusterParameterGroupName": "cluster-pg",
    "DBParameterGroupName": "pg",
    "ResourceName": "",
    "ResourceArn": "",
}
# A listing that names nothing is authorized on all resources of its kind.
_LISTINGS = {
    "DescribeDBClusters": "cluster:*",
    "DescribeDBInstances": "db:*",
    "DescribeDBClusterSnapshots": "cluster-snapshot:*",
    "DescribeDBSubnetGroups": "subgrp:*",
    "DescribeDBClusterParameterGroups": "cluster-pg:*",
}
# What a call makes, by the parameter that names it: it is tagged with the call's tags.
_MADE = {
    "CopyDBClusterSnapshot": "TargetDBClusterSnapshotIdentifier",
    "CreateDBCluster": "DBClusterIdentifier",
    "CreateDBClusterSnapshot": "DBClusterSnapshotIdentifier",
    "CreateDBInstance": "DBInstanceIdentifier",
    "RestoreDBClusterFromSnapshot": "DBClusterIdentifier",
    "RestoreDBClusterToPointInTime": "DBClusterIdentifier",
}
_named: contextvars.ContextVar[tuple[tuple[str, str], ...]] = contextvars.ContextVar("named", default=())


def apply(settings: Settings) -> None:
    """Replace the naming of RDS resources, and check each of them."""
    del settings
    extract_resource_arn = iam_actions.extract_resource_arn
    enforce = iam_evaluator.enforce

    def extract(
        service: str, method: str, path: str, headers: Any, body: bytes, params: Any, region: str, account: str
    ) -> Any:
        if service != "rds":
            return extract_resource_arn(service, method, path, headers, body, params, region, account)
        prefix, action = f"arn:aws:rds:{region}:{account}", f"rds:{iam_actions._query_param(params, 'Action')}"
        arns = _resources(params, prefix)
        _named.set((*((action, arn) for arn in arns), *_dependent(params, prefix)))
        return arns[0]

    def enforce_each(access_key: str, action: str, service: str, region: str, **rest: Any) -> Any:
        if service != "rds":
            return enforce(access_key, action, service, region, **rest)
        for what, arn in _named.get():
            denied = enforce(access_key, what, service, region, **{**rest, "resource_arn": arn})
            if denied:
                return denied
        return None

    iam_actions.extract_resource_arn = extract
    iam_evaluator.enforce = enforce_each
    tagging._RESOURCE_TAG_COLLECTORS["rds"] = _tagged


def _resources(params: Any, prefix: str) -> list[str]:
    arns = []
    for parameter, kind in _TYPES.items():
        if value := iam_actions._query_param(params, parameter):
            arns.append(value if value.startswith("arn:") else f"{prefix}:{kind}:{value}")
    listing = _LISTINGS.get(iam_actions._query_param(params, "Action"))
    return arns or [f"{prefix}:{listing}" if listing else "*"]


def _dependent(params: Any, prefix: str) -> Iterator[tuple[str, str]]:
    """The other actions that a call takes, each with its resource."""

    def given(parameter: str) -> str:
        return str(iam_actions._query_param(params, parameter) or "")

    if (parameter := _MADE.get(given("Action"))) and given("Tags.Tag.1.Key"):
        yield "rds:AddTagsToResource", f"{prefix}:{_TYPES[parameter]}:{given(parameter)}"
    if given("Action") == "DeleteDBCluster" and (final := given("FinalDBSnapshotIdentifier")):
        cluster, snapshot = given("DBClusterIdentifier"), f"{prefix}:cluster-snapshot:{final}"
        yield "rds:CreateDBClusterSnapshot", snapshot
        yield "rds:CreateDBClusterSnapshot", f"{prefix}:cluster:{cluster}"
        if aurora.copies_tags_to_snapshots(get_account_id(), get_region(), cluster):
            yield "rds:AddTagsToResource", snapshot


def _tagged() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Every resource of the request's account and region with its tags, for the condition key ``aws:ResourceTag``."""
    for arn, tags in aurora.tagged_resources(get_account_id(), get_region()).items():
        yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]

"""Whether IAM lets the functions' roles do what a plan needs, as IAM's own simulation says (SimulatePrincipalPolicy).

The runbook asks and not a function: IAM has no endpoint in the functions' network, and a role should not read policies.
The simulation knows identity policies, boundaries and organisation policies; key policies it does not
(IAM API Reference, SimulatePrincipalPolicy): those are looked at by SnapshotCheck.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from aurora_deploy.clients import Aws
from aurora_deploy.errors import is_code
from aurora_restore.planning.key_uses import uses

_DENIED = ("AccessDenied", "AccessDeniedException")


@dataclasses.dataclass(frozen=True)
class Need:
    """What one step does to resources that carry, or are given, these tags; `facts` are further condition keys."""

    step: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    tags: Mapping[str, str]
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)


def findings(aws: Aws, prefix: str, plan: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return what may be said in the plan, and what is refused; `prefix` is the deployment's name prefix.

    Nothing is refused where the caller may not simulate or a role does not exist: then the plan says that this was
    skipped, and why.
    """
    account = plan["target"]["arn"].split(":")[4]
    refused: list[str] = []
    asked = 0
    for need in needs(prefix, plan):
        role = f"arn:aws:iam::{account}:role/{prefix}-{need.step}-role"
        try:
            answer = aws.client("iam").simulate_principal_policy(
                PolicySourceArn=role,
                ActionNames=list(need.actions),
                ResourceArns=list(need.resources),
                ContextEntries=_context(need),
            )
        except Exception as error:
            if is_code(error, *_DENIED):
                return [f"permissions: the caller may not call iam:SimulatePrincipalPolicy on {role}"], []
            raise
        asked += len(answer["EvaluationResults"])
        refused += [
            f"{role} may not {result['EvalActionName']} on {result.get('EvalResourceName', '*')} "
            f"({result['EvalDecision']})"
            for result in answer["EvaluationResults"]
            if result["EvalDecision"] != "allowed"
        ]
    return [f"permissions: {asked} simulated; what the keys' policies say is told under key policies"], refused


def needs(prefix: str, plan: Mapping[str, Any]) -> Iterator[Need]:
    """What the steps will do for this plan that changes something."""
    head, _, target = plan["target"]["arn"].rpartition(":cluster:")
    made = {f"{prefix}:operation": plan["operation_id"]}
    new = f"{head}:cluster:{plan['restore']['cluster_id']}"
    instances = tuple(f"{head}:db:{instance['id']}" for instance in plan["instances"])
    copies = tuple(f"{head}:cluster-snapshot:{hop['snapshot_id']}" for hop in plan["copy"]["hops"])
    if copies:
        yield Need("copy-snapshot", ("rds:CopyDBClusterSnapshot", "rds:AddTagsToResource"), copies, made)
        yield Need("handle-failure", ("rds:DeleteDBClusterSnapshot",), copies, made)
    if plan["restore"].get("snapshot_id"):
        yield Need("restore-snapshot", ("rds:RestoreDBClusterFromSnapshot", "rds:AddTagsToResource"), (new,), made)
    yield Need("create-instances", ("rds:CreateDBInstance", "rds:AddTagsToResource"), instances, made)
    settings = plan["restore"]
    if settings.get("database_insights") == "advanced" or settings.get("local_write_forwarding"):
        yield Need("check-instances", ("rds:ModifyDBCluster",), (new,), made)
    if settings.get("http_endpoint"):
        yield Need("check-instances", ("rds:EnableHttpEndpoint",), (new,), made)
    yield Need("reset-credentials", ("rds:ModifyDBCluster",), (new,), made)
    yield Need("handle-failure", ("rds:DeleteDBCluster",), (new,), made)
    yield Need("handle-failure", ("rds:DeleteDBInstance",), instances, made)
    if plan["swap"]["needed"]:
        yield Need("swap-clusters", ("rds:ModifyDBCluster",), (new,), made)
        yield Need(
            "swap-clusters", ("rds:ModifyDBCluster",), (f"{head}:cluster:{target}",), {f"{prefix}:target": "true"}
        )
        yield Need("swap-clusters", ("rds:ModifyDBInstance",), instances, made)
    if plan["replace"]["needed"]:
        yield from _replace(prefix, plan, head)
    yield from _key_needs(plan)


def _replace(prefix: str, plan: Mapping[str, Any], head: str) -> Iterator[Need]:
    """The removal of the target, and the way back."""
    step, back, operation = "remove-target", "handle-failure", plan["operation_id"]
    target = (f"{head}:cluster:{plan['target']['cluster']}",)
    snapshot = (f"{head}:cluster-snapshot:{plan['replace']['final_snapshot']}",)
    instances = tuple(f"{head}:db:{instance['id']}" for instance in plan["target"]["instances"])
    opted_in, aside = {f"{prefix}:target": "true"}, {f"{prefix}:replaced-by": operation}
    again = {**opted_in, f"{prefix}:restored-by": operation}
    removing = ("rds:CreateDBClusterSnapshot", "rds:ModifyDBCluster", "rds:DeleteDBCluster")
    yield Need(step, removing, target, opted_in)
    yield Need(step, ("rds:CreateDBClusterSnapshot",), snapshot, {f"{prefix}:operation": operation})
    yield Need(step, ("rds:AddTagsToResource", "rds:DeleteDBInstance"), instances, aside)
    yield Need(back, ("rds:RestoreDBClusterFromSnapshot", "rds:AddTagsToResource"), target, again)
    yield Need(back, ("rds:RestoreDBClusterFromSnapshot",), snapshot, aside)
    yield Need(back, ("rds:CreateDBInstance", "rds:AddTagsToResource"), instances, again)


def _key_needs(plan: Mapping[str, Any]) -> Iterator[Need]:
    """What RDS does with keys for the steps that call it. A key that is known by its alias only is no resource."""
    for use in uses(plan):
        if ":key/" not in use.key:
            continue
        via = {"kms:ViaService": f"rds.{use.key.split(':')[3]}.amazonaws.com"}
        for step in use.steps:
            yield Need(step, ("kms:DescribeKey",), (use.key,), {}, via)
            yield Need(step, ("kms:CreateGrant",), (use.key,), {}, {**via, "kms:GrantIsForAWSResource": "true"})


def _context(need: Need) -> list[dict[str, Any]]:
    """The tags as a policy's conditions see them, on the resource and in the request that makes it; then the facts."""
    tags = {f"aws:{kind}/{key}": value for key, value in need.tags.items() for kind in ("ResourceTag", "RequestTag")}
    return [
        {
            "ContextKeyName": key,
            "ContextKeyValues": [value],
            "ContextKeyType": "boolean" if value == "true" and key in need.facts else "string",
        }
        for key, value in {**tags, **need.facts}.items()
    ]

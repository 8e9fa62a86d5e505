"""IAM roles with their trust and inline policies, read with one paginated call for any number of roles."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from aurora_deploy.action import Run, Work
from aurora_deploy.clients import Aws
from aurora_deploy.diff import Attributes, canonical
from aurora_deploy.engine import Family
from aurora_deploy.tags import removed, tag_list, tag_map


def plan(run: Run) -> Iterator[Work]:
    """Declare the roles of the task, remove ours that are no longer declared.

    A reference to the key in a policy is replaced by the key's ARN.
    """
    args = run.args
    family = RoleFamily(run.aws)
    declared: dict[str, Attributes | None] = {role["name"]: None for role in args["roles"]}
    if not run.absent:
        key_arn = run.lookup.key_arn(args["kms_key"])
        shared = {
            "managed_policies": [],
            "permissions_boundary": args["permissions_boundary"] or None,
            "tags": args["tags"],
        }
        for role in args["roles"]:
            policies = _with_key(role["policies"], args["kms_key"], key_arn)
            declared[role["name"]] = {**shared, "trust_policy": role["trust_policy"], "policies": policies}
    if prefix := args["remove_others_with_prefix"]:
        declared |= dict.fromkeys(family.others(prefix, declared, args["tags"]["Project"]))
    yield family, declared


def _with_key(value: Any, key: str, arn: str) -> Any:
    """Return a policy whose statements on the resource `key` (an alias, which IAM does not resolve) name its ARN."""
    if isinstance(value, dict):
        return {name: _with_key(item, key, arn) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_key(item, key, arn) for item in value]
    return arn if value == key else value


class RoleFamily(Family):
    """One item is one role. Inline and attached policies are declared as a whole: others are removed."""

    label = "IAM role"
    unordered = ("managed_policies",)

    def __init__(self, aws: Aws) -> None:
        super().__init__(aws)
        self._listed: dict[str, dict[str, Any]] | None = None

    def others(self, prefix: str, names: Collection[str], project: str) -> list[str]:
        """Return the roles that begin with `prefix`, carry our Project tag, and are not in `names`."""
        self._listed = self._list()
        return sorted(
            name
            for name, role in self._listed.items()
            if name.startswith(prefix) and name not in names and tag_map(role.get("Tags", [])).get("Project") == project
        )

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        """List all roles, or use the list that `others` just took."""
        listed, self._listed = self._listed or self._list(), None
        return {name: _attributes(listed[name]) for name in names if name in listed}

    def _list(self) -> dict[str, dict[str, Any]]:
        """GetAccountAuthorizationDetails: every role of the account with its policies, a thousand a page."""
        roles = self.aws.pages(
            "iam",
            "get_account_authorization_details",
            "RoleDetailList",
            Filter=["Role"],
            PaginationConfig={"PageSize": 1000},
        )
        return {role["RoleName"]: role for role in roles}

    def create(self, name: str, after: Attributes) -> None:
        """CreateRole, then its policies; IAM needs seconds until other services see a new role."""
        client = self.aws.client("iam")
        boundary = {"PermissionsBoundary": after["permissions_boundary"]} if after["permissions_boundary"] else {}
        client.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(after["trust_policy"]),
            Tags=tag_list(after["tags"]),
            **boundary,
        )
        self._put_policies(name, {}, after["policies"])
        self._attach(name, [], after["managed_policies"])
        client.get_waiter("role_exists").wait(RoleName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """Change each part that differs."""
        client = self.aws.client("iam")
        if "permissions_boundary" in changed:
            if after["permissions_boundary"]:
                client.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=after["permissions_boundary"])
            else:
                client.delete_role_permissions_boundary(RoleName=name)
        if "trust_policy" in changed:
            client.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(after["trust_policy"]))
        if "policies" in changed:
            self._put_policies(name, before["policies"], after["policies"])
        if "managed_policies" in changed:
            self._attach(name, before["managed_policies"], after["managed_policies"])
        if "tags" in changed:
            if gone := removed(before["tags"], after["tags"]):
                client.untag_role(RoleName=name, TagKeys=gone)
            client.tag_role(RoleName=name, Tags=tag_list(after["tags"]))

    def delete(self, name: str, before: Attributes) -> None:
        """IAM deletes only roles without policies."""
        self._put_policies(name, before["policies"], {})
        self._attach(name, before["managed_policies"], [])
        self.aws.client("iam").delete_role(RoleName=name)

    def _put_policies(self, role: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        client = self.aws.client("iam")
        for name, document in after.items():
            if canonical(before.get(name)) != canonical(document):
                client.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
        for name in set(before) - set(after):
            client.delete_role_policy(RoleName=role, PolicyName=name)

    def _attach(self, role: str, before: list[str], after: list[str]) -> None:
        client = self.aws.client("iam")
        for arn in set(after) - set(before):
            client.attach_role_policy(RoleName=role, PolicyArn=arn)
        for arn in set(before) - set(after):
            client.detach_role_policy(RoleName=role, PolicyArn=arn)


def _attributes(role: dict[str, Any]) -> Attributes:
    return {
        "trust_policy": role["AssumeRolePolicyDocument"],
        "policies": {policy["PolicyName"]: policy["PolicyDocument"] for policy in role.get("RolePolicyList", [])},
        "managed_policies": [policy["PolicyArn"] for policy in role.get("AttachedManagedPolicies", [])],
        "permissions_boundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "tags": tag_map(role.get("Tags", [])),
    }

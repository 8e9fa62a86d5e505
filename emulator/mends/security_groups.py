"""Security group rules keep the prefix lists they name, and a group in use cannot be deleted (EC2 API Reference).

ministack forgets ``PrefixListIds``, and deletes a group that another group's rule or a VPC endpoint refers to, where
AWS answers ``DependencyViolation``; a deployment that removes things in the wrong order would look right.
"""

from __future__ import annotations

from typing import Any

from ministack.services import ec2

from emulator.settings import Settings


def apply(settings: Settings) -> None:
    """Replace the parsing of rules and the deletion of groups."""
    del settings
    parse_ip_permissions = ec2._parse_ip_permissions
    delete_security_group = ec2._ACTION_MAP["DeleteSecurityGroup"]

    def parse(params: Any, prefix: str) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = parse_ip_permissions(params, prefix)
        for number, rule in enumerate(rules, start=1):
            rule["PrefixListIds"] = _prefix_lists(params, f"{prefix}.{number}.PrefixListIds")
        return rules

    def delete(params: Any) -> Any:
        group = ec2._p(params, "GroupId")
        if user := _user(group):
            return ec2._error("DependencyViolation", f"resource {group} has a dependent object: {user}", 400)
        return delete_security_group(params)

    ec2._parse_ip_permissions = parse
    ec2._ACTION_MAP["DeleteSecurityGroup"] = delete


def _prefix_lists(params: Any, prefix: str) -> list[dict[str, str]]:
    lists: list[dict[str, str]] = []
    while name := ec2._p(params, f"{prefix}.{len(lists) + 1}.PrefixListId"):
        description = ec2._p(params, f"{prefix}.{len(lists) + 1}.Description")
        lists.append({"PrefixListId": name, **({"Description": description} if description else {})})
    return lists


def _user(group: str) -> str | None:
    """Another group or an endpoint that refers to a group."""
    for name, other in ec2._security_groups.items():
        rules = [*other["IpPermissions"], *other["IpPermissionsEgress"]]
        if name != group and any(pair["GroupId"] == group for rule in rules for pair in rule["UserIdGroupPairs"]):
            return str(name)
    for name, endpoint in ec2._vpc_endpoints.items():
        if group in endpoint.get("Groups", []):
            return str(name)
    return None

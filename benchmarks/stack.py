"""The one list of resources that every form of the benchmark deploys: what site.yml declares.

A check run of site.yml on an empty account announces every resource with all its attributes; nothing is written down
twice. What AWS only assigns later stands in it as one of the references below, and each form puts its own in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNKNOWN = "(known after apply)"
KEY, VPC, SUBNETS, GROUPS = "@key@", "@vpc@", "@subnets@", "@groups@"
"""The customer key's ARN, the VPC's id, and the comma-separated ids of the functions' subnets and security groups."""

Items = dict[str, dict[str, Any]]

_ENVIRONMENT = {"VPC_ID": VPC, "SUBNET_IDS": SUBNETS, "SECURITY_GROUP_IDS": GROUPS, "KMS_KEY_ID": KEY}
# An attribute that only this kind of network resource has.
_NETWORK = {
    "vpcs": "dns_support",
    "subnets": "zone",
    "route_tables": "routes",
    "rules": "egress",
    "endpoints": "service",
    "groups": "description",
}
_MODULES = {
    "keys": "aurora_restore_kms_key",
    "secrets": "aurora_restore_secrets",
    "tables": "aurora_restore_tables",
    "topics": "aurora_restore_topic",
    "roles": "aurora_restore_iam_roles",
    "functions": "aurora_restore_functions",
    "machines": "aurora_restore_state_machine",
    "alarms": "aurora_restore_alarms",
    "dashboards": "aurora_restore_dashboard",
}


@dataclass(frozen=True)
class Stack:
    """Attributes by name for each kind, in the order in which site.yml makes them."""

    keys: Items
    secrets: Items
    tables: Items
    topics: Items
    vpcs: Items
    subnets: Items
    route_tables: Items
    groups: Items
    rules: Items
    endpoints: Items
    roles: Items
    log_groups: Items
    delivery_policies: Items
    functions: Items
    machines: Items
    alarms: Items
    dashboards: Items

    @property
    def count(self) -> int:
        """How many resources there are; the rules of a security group are a part of it."""
        return sum(len(items) for kind, items in vars(self).items() if kind != "rules")

    @property
    def region(self) -> str:
        """The region of the deployment, which the topic's ARN names."""
        return next(iter(self.topics)).split(":")[3]

    @property
    def account(self) -> str:
        """The account of the deployment, which the topic's ARN names."""
        return next(iter(self.topics)).split(":")[4]

    @classmethod
    def from_results(cls, results: Mapping[str, list[dict[str, Any]]]) -> Stack:
        """Make the list from the items that each module announced.

        Raises:
            ValueError: an unresolved value that no reference stands for, or a network resource of an unknown kind.
        """
        kinds: dict[str, Items] = {kind: _items(results.get(module, [])) for kind, module in _MODULES.items()}
        network = _items(results.get("aurora_restore_network", []), keep_duplicates=True)
        kinds |= {kind: {} for kind in _NETWORK}
        for name, attributes in network.items():
            kind = next((kind for kind, sign in _NETWORK.items() if sign in attributes), None)
            if kind is None:
                raise ValueError(f"{name} is a network resource of an unknown kind: {sorted(attributes)}")
            kinds[kind][name.split("\0")[0]] = attributes
        logs = _items(results.get("aurora_restore_log_groups", []))
        kinds["delivery_policies"] = {name: item for name, item in logs.items() if "document" in item}
        kinds["log_groups"] = {name: item for name, item in logs.items() if "document" not in item}
        stack = cls(**kinds)
        if UNKNOWN in json.dumps(vars(stack)):
            raise ValueError("a value that AWS assigns has no reference: add it to benchmarks/stack.py")
        return stack


def substitute(value: Any, references: Mapping[str, str]) -> Any:
    """Put a form's own expressions in the place of the references, wherever they stand."""
    if isinstance(value, Mapping):
        return {key: substitute(item, references) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, references) for item in value]
    if isinstance(value, str):
        for reference, expression in references.items():
            value = value.replace(reference, expression)
    return value


def _items(results: list[dict[str, Any]], *, keep_duplicates: bool = False) -> Items:
    """Group and rules of the same name are two items of one task: `keep_duplicates` numbers the second."""
    found: Items = {}
    for result in results:
        name = result["name"]
        if keep_duplicates and name in found:
            name += f"\0{len(found)}"
        found[name] = _resolved({key: change["after"] for key, change in result["changes"].items()})
    return found


def _resolved(attributes: dict[str, Any]) -> dict[str, Any]:
    """Which value is unknown follows from where it stands: by name in an environment, else it is the key."""
    environment = attributes.get("environment", {})
    known = {name: _ENVIRONMENT[name] if value == UNKNOWN else value for name, value in environment.items()}
    ids = {"subnet_ids": [SUBNETS], "security_group_ids": [GROUPS]}
    resolved: dict[str, Any] = substitute(
        {**attributes, **({"environment": known} if known else {})}
        | {key: value for key, value in ids.items() if key in attributes},
        {UNKNOWN: KEY},
    )
    return resolved

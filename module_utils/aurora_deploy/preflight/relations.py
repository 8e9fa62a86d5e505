"""How the variables fit together, and how long the names are that follow from them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from aurora_deploy.preflight.rules import as_number

ROLE_NAME_LIMIT = 64
"""Characters of a role's name (IAM, CreateRole). Of all names that follow, those of the roles have the least room."""


def mistakes(values: Mapping[str, Any], functions: Collection[str], known_regions: Collection[str]) -> Iterator[str]:
    """Yield one sentence, with its fix, for everything that does not fit together.

    `values` holds the variables whose own shape is right; a relation with a missing one is passed over.
    """
    for names, relation in _RELATIONS.items():
        if all(name in values for name in names):
            yield from relation(*(values[name] for name in names))
    if "region" in values:
        yield from _region(values["region"], known_regions)
    if "name_prefix" in values:
        yield from _name_prefix(values["name_prefix"], functions)
    yield from _unknown_steps(values.get("lambda_reserved_concurrency", {}), functions)


def warnings(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what will not stop the deployment but some restores: interface endpoints reach their own region only."""
    if values.get("vpc_id") or values.get("vpc_egress") != "endpoints":
        return
    for name, request in values.get("restore_targets", {}).items():
        region, _ = _place(request.get("source") if isinstance(request, Mapping) else None)
        if region and region != values.get("region"):
            yield (
                f"restore_targets.{name} has its source in {region}, out of reach with vpc_egress: endpoints. "
                "Fix: set vpc_egress: nat."
            )


_OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eu-iso", "eusc-")
"""How regions begin whose ARNs do not begin with `arn:aws:`: China, GovCloud, the isolated and the sovereign ones."""


def _region(region: str, known: Collection[str]) -> Iterator[str]:
    if region.startswith(_OTHER_PARTITIONS):
        yield f"region {region!r} is not one of the commercial regions. Fix: name one; no other has been tried."
    elif region not in known:
        near = difflib.get_close_matches(region, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "name a region that has Amazon RDS, or update botocore"
        yield f"region {region!r} is not known to this botocore. Fix: {hint}"


def _name_prefix(prefix: str, functions: Collection[str]) -> Iterator[str]:
    longest = max((f"{prefix}-{step}-role" for step in functions), key=len, default=prefix)
    if len(longest) > ROLE_NAME_LIMIT:
        room = len(prefix) - (len(longest) - ROLE_NAME_LIMIT)
        yield (
            f"name_prefix {prefix!r} is too long: the role {longest} would have {len(longest)} characters, "
            f"IAM allows {ROLE_NAME_LIMIT}. Fix: use at most {room} characters."
        )
    if prefix == "aws":
        yield "name_prefix is 'aws', but AWS keeps tags that begin with aws: for itself. Fix: choose another prefix."


def _network(vpc_id: str, subnet_ids: list[str], security_group_ids: list[str]) -> Iterator[str]:
    if not vpc_id:
        for name, value in (("subnet_ids", subnet_ids), ("security_group_ids", security_group_ids)):
            if value:
                yield (
                    f"{name} is set but vpc_id is empty. "
                    f"Fix: add the vpc_id they belong to, or empty {name} to have a VPC made."
                )
        return
    if len(subnet_ids) < 2:
        yield (
            f"subnet_ids has {len(subnet_ids)} entries, but vpc_id is set. "
            "Fix: name at least two subnets of that VPC, in different Availability Zones."
        )
    if not security_group_ids:
        yield "security_group_ids is empty, but vpc_id is set. Fix: name at least one security group of that VPC."


def _tables(state: str, audit: str) -> Iterator[str]:
    if state and state == audit:
        yield (
            f"dynamodb_table_name and dynamodb_audit_table_name are both {state!r}. "
            "Fix: name two tables; their keys differ."
        )


def _topic(arn: str, region: str, account: str) -> Iterator[str]:
    if arn and arn.split(":")[3:5] != [region, account]:
        yield (
            f"sns_topic_arn {arn} is not in region {region} of account {account}. "
            "Fix: name a topic there, or leave it empty to have one made."
        )


def _key(key: str, region: str) -> Iterator[str]:
    if key.startswith("arn:") and key.split(":")[3] != region:
        yield f"kms_key_id {key} is not in region {region}. Fix: name a key there, or leave it empty to have one made."


def _timeouts(machine: Any, function: Any) -> Iterator[str]:
    least = 2 * int(as_number(function) or 0)
    if (as_number(machine) or 0) < least:
        yield (
            f"state_machine_timeout_seconds {machine} leaves no time to undo a failed restore: with "
            f"lambda_timeout_seconds {function} it takes at least {least}. Fix: raise the one or lower the other."
        )


def _sources(targets: Mapping[str, Any], accounts: list[str], own: str) -> Iterator[str]:
    if own in accounts:
        yield f"source_accounts names {own}, which is account_id itself. Fix: name other accounts only."
    for name, request in targets.items():
        _, account = _place(request.get("source") if isinstance(request, Mapping) else None)
        if account and account not in (own, *accounts):
            yield (
                f"restore_targets.{name} has its source in account {account}, from which nothing may be restored. "
                "Fix: add it to source_accounts."
            )


_CLUSTERS = ("point_in_time", "latest_restorable_time", "clone")
"""Types of sources that AWS restores in their own region only (RestoreDBClusterToPointInTime)."""


def _regions(targets: Mapping[str, Any], own: str) -> Iterator[str]:
    for name, request in targets.items():
        source = request.get("source") if isinstance(request, Mapping) else None
        region, _ = _place(source)
        if isinstance(source, Mapping) and source.get("type") in _CLUSTERS and region not in ("", own):
            yield (
                f"restore_targets.{name} has a {source['type']} of a cluster in {region} as its source, which AWS "
                f"offers within {own} only. Fix: name a cluster there, or use latest_snapshot."
            )


def _place(source: Any) -> tuple[str, str]:
    """Region and account that a source names, by itself or in an ARN; malformed ones are the schema's to tell."""
    if not isinstance(source, Mapping):
        return "", ""
    parts = str(source.get("snapshot", "")).split(":")
    if parts[0] == "arn" and len(parts) > 5:
        return parts[3], parts[4]
    return str(source.get("region") or ""), str(source.get("account") or "")


def _unknown_steps(limits: Mapping[str, Any], functions: Collection[str]) -> Iterator[str]:
    for step in limits:
        if step not in functions:
            near = difflib.get_close_matches(step, functions, n=1)
            hint = f"did you mean {near[0]}?" if near else f"name one of {', '.join(functions)}."
            yield f"lambda_reserved_concurrency names {step!r}, which is no step. Fix: {hint}"


_RELATIONS: dict[tuple[str, ...], Callable[..., Iterator[str]]] = {
    ("vpc_id", "subnet_ids", "security_group_ids"): _network,
    ("dynamodb_table_name", "dynamodb_audit_table_name"): _tables,
    ("sns_topic_arn", "region", "account_id"): _topic,
    ("kms_key_id", "region"): _key,
    ("restore_targets", "source_accounts", "account_id"): _sources,
    ("restore_targets", "region"): _regions,
    ("state_machine_timeout_seconds", "lambda_timeout_seconds"): _timeouts,
}

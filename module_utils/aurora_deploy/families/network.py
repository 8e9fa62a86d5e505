"""The network of the Lambda functions: made by us, or an existing one that is checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from aurora_deploy.action import Run, Work
from aurora_deploy.families.network_core import (
    AddressFamily,
    InternetGatewayFamily,
    NatGatewayFamily,
    NetworkFamily,
    SubnetFamily,
    VpcFamily,
)
from aurora_deploy.families.network_endpoints import EndpointFamily
from aurora_deploy.families.network_existing import check_existing
from aurora_deploy.families.network_plan import KINDS, NetworkSpec, declare
from aurora_deploy.families.network_state import NetworkState
from aurora_deploy.families.network_traffic import RouteTableFamily, RulesFamily, SecurityGroupFamily
from aurora_deploy.families.network_zones import check_zones
from aurora_deploy.lookup import GROUP, SUBNETS, VPC

_FAMILIES: tuple[type[NetworkFamily], ...] = (
    VpcFamily,
    SubnetFamily,
    InternetGatewayFamily,
    AddressFamily,
    NatGatewayFamily,
    RouteTableFamily,
    SecurityGroupFamily,
    RulesFamily,
    EndpointFamily,
)


def plan(run: Run) -> Iterator[Work]:
    """Declare the network kind by kind; then remove, kind by kind backwards, what is ours and no longer declared."""
    args = run.args
    if args["vpc_id"] or args["subnet_ids"] or args["security_group_ids"]:
        if not run.absent:
            check_existing(run.aws, args)
        return
    state = NetworkState(run.aws, args["name_prefix"])
    families = {family.kind: family(run.aws, state) for family in _FAMILIES}
    declared = {kind: {} for kind in KINDS} if run.absent else declare(_spec(run, state))
    if any(declared[kind].keys() - state.raw(kind).keys() for kind in ("subnet", "endpoint")):
        check_zones(run.aws, _spec(run, state))
    for kind in KINDS:
        if declared[kind]:
            yield families[kind], declared[kind]
    for kind in reversed(KINDS):
        if extra := sorted(families[kind].read([]).keys() - declared[kind].keys()):
            yield families[kind], dict.fromkeys(extra)
    if not run.absent:
        run.answers.update(_answers(args["name_prefix"], declared["subnet"], state))


def _answers(prefix: str, subnets: Iterable[str], state: NetworkState) -> dict[str, Any]:
    """Return what functions need to know of their place."""
    vpc, group, private = f"{prefix}-vpc", f"{prefix}-functions", f"{prefix}-private-"
    return {
        VPC.format(vpc): state.id_if_made("vpc", vpc),
        GROUP.format(group): state.id_if_made("security_group", group),
        SUBNETS.format(prefix): [state.id_if_made("subnet", name) for name in subnets if name.startswith(private)],
    }


def _spec(run: Run, state: NetworkState) -> NetworkSpec:
    args = run.args
    return NetworkSpec(
        prefix=args["name_prefix"],
        region=run.aws.region,
        cidr=args["cidr"],
        zones=args["zones"] or state.zones(),
        egress=args["egress"],
        interface_services=args["interface_services"],
        gateway_services=args["gateway_services"],
        database_ports=args["database_ports"],
        database_cidrs=args["database_cidrs"] or [args["cidr"]],
        tags=args["tags"],
    )

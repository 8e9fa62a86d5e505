"""VPC endpoints keep their security groups, policy and private DNS, and can be filtered (EC2 API Reference,
VpcEndpoint).

ministack keeps a type, subnets and route tables only, and answers every DescribeVpcEndpoints with all of them. Amazon
RDS and Step Functions have no endpoint with it, where AWS has one (VPC User Guide, "AWS services that integrate with
AWS PrivateLink").
"""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import ec2

from emulator.settings import Settings

Endpoint = dict[str, Any]

_FULL_ACCESS = json.dumps(
    {"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
)
_FILTERS = {
    "vpc-id": "VpcId",
    "service-name": "ServiceName",
    "vpc-endpoint-type": "VpcEndpointType",
    "vpc-endpoint-state": "State",
    "vpc-endpoint-id": "VpcEndpointId",
}


def apply(settings: Settings) -> None:
    """Replace the actions on VPC endpoints."""
    del settings
    create_endpoint, modify_endpoint = ec2._ACTION_MAP["CreateVpcEndpoint"], ec2._ACTION_MAP["ModifyVpcEndpoint"]
    render = ec2._vpce_fields_xml
    ec2._VPCE_INTERFACE_SERVICES = (*ec2._VPCE_INTERFACE_SERVICES, "rds", "states")

    def create(params: Any) -> Any:
        before = set(ec2._vpc_endpoints.keys())
        response = create_endpoint(params)
        for name in set(ec2._vpc_endpoints.keys()) - before:
            endpoint = ec2._vpc_endpoints[name]
            interface = endpoint["VpcEndpointType"] == "Interface"
            endpoint["Groups"] = ec2._parse_member_list(params, "SecurityGroupId")
            endpoint["PolicyDocument"] = ec2._p(params, "PolicyDocument") or _FULL_ACCESS
            endpoint["PrivateDnsEnabled"] = interface and ec2._p(params, "PrivateDnsEnabled") != "false"
            response = ec2._xml(200, "CreateVpcEndpointResponse", ec2._vpce_fields_xml(endpoint, tag="vpcEndpoint"))
        return response

    def describe(params: Any) -> Any:
        wanted = ec2._parse_member_list(params, "VpcEndpointId")
        if missing := [name for name in wanted if name not in ec2._vpc_endpoints]:
            return ec2._error("InvalidVpcEndpointId.NotFound", f"The VPC endpoint '{missing[0]}' does not exist", 400)
        filters = ec2._parse_filters(params)
        found = [
            endpoint
            for name, endpoint in ec2._vpc_endpoints.items()
            if (not wanted or name in wanted) and _passes(endpoint, filters)
        ]
        items = "".join(ec2._vpce_fields_xml(endpoint) for endpoint in found)
        return ec2._xml(200, "DescribeVpcEndpointsResponse", f"<vpcEndpointSet>{items}</vpcEndpointSet>")

    def modify(params: Any) -> Any:
        response = modify_endpoint(params)
        endpoint = ec2._vpc_endpoints.get(ec2._p(params, "VpcEndpointId"))
        if endpoint:
            removed = ec2._parse_member_list(params, "RemoveSecurityGroupId")
            kept = [group for group in endpoint["Groups"] if group not in removed]
            endpoint["Groups"] = kept + ec2._parse_member_list(params, "AddSecurityGroupId")
            if private_dns := ec2._p(params, "PrivateDnsEnabled"):
                endpoint["PrivateDnsEnabled"] = private_dns == "true"
            if ec2._p(params, "ResetPolicy") == "true":
                endpoint["PolicyDocument"] = _FULL_ACCESS
        return response

    def render_all(endpoint: Endpoint, tag: str = "item") -> str:
        groups = "".join(
            f"<item><groupId>{group}</groupId><groupName>{_group_name(group)}</groupName></item>"
            for group in endpoint.get("Groups", [])
        )
        more = (
            f"<groupSet>{groups}</groupSet>"
            f"<policyDocument>{escape(endpoint.get('PolicyDocument', ''))}</policyDocument>"
            f"<privateDnsEnabled>{str(endpoint.get('PrivateDnsEnabled', False)).lower()}</privateDnsEnabled>"
        )
        text = str(render(endpoint, tag=tag))
        return f"{text.rstrip().removesuffix(f'</{tag}>')}{more}</{tag}>"

    ec2._ACTION_MAP.update(CreateVpcEndpoint=create, DescribeVpcEndpoints=describe, ModifyVpcEndpoint=modify)
    ec2._vpce_fields_xml = render_all


def _passes(endpoint: Endpoint, filters: dict[str, list[str]]) -> bool:
    plain = all(endpoint[field] in filters[name] for name, field in _FILTERS.items() if filters.get(name))
    return plain and bool(ec2._resource_matches_tag_filters(endpoint["VpcEndpointId"], filters))


def _group_name(group: str) -> str:
    return escape((ec2._security_groups.get(group) or {}).get("GroupName", ""))

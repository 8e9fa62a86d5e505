"""NAT gateways show their elastic address and hold it, as the EC2 API Reference (NatGatewayAddress, ReleaseAddress) has
it.

ministack always answers with an empty address set, so a deployment cannot tell whose address to release, and lets go
of an address that is in use.
"""

from __future__ import annotations

import re
from typing import Any

from ministack.services import ec2

from emulator.settings import Settings

_ID_AND_ADDRESSES = re.compile(r"<natGatewayId>([^<]+)</natGatewayId>.*?<natGatewayAddressSet/>", re.DOTALL)


def apply(settings: Settings) -> None:
    """Replace the descriptions of NAT gateways, and the release of an address."""
    del settings
    for action in ("CreateNatGateway", "DescribeNatGateways"):
        ec2._ACTION_MAP[action] = _with_addresses(ec2._ACTION_MAP[action])
    describe_addresses, release_address = ec2._ACTION_MAP["DescribeAddresses"], ec2._ACTION_MAP["ReleaseAddress"]

    def describe(params: Any) -> Any:
        for address in ec2._addresses.values():
            holder = _holder(address["AllocationId"])
            if holder:
                address["AssociationId"] = f"eipassoc-{holder.removeprefix('nat-')}"
            elif not address.get("InstanceId"):
                address["AssociationId"] = None
        return describe_addresses(params)

    def release(params: Any) -> Any:
        allocation = ec2._p(params, "AllocationId")
        if holder := _holder(allocation):
            return ec2._error("InvalidIPAddress.InUse", f"Address {allocation} is in use by {holder}.", 400)
        return release_address(params)

    ec2._ACTION_MAP["DescribeAddresses"] = describe
    ec2._ACTION_MAP["ReleaseAddress"] = release


def _holder(allocation: str) -> str | None:
    """The NAT gateway that uses an elastic address."""
    for gateway in ec2._nat_gateways.values():
        if gateway["AllocationId"] == allocation and gateway["State"] != "deleted":
            return str(gateway["NatGatewayId"])
    return None


def _with_addresses(action: Any) -> Any:
    def answer(params: Any) -> Any:
        status, headers, body = action(params)
        text = body.decode() if isinstance(body, bytes) else body
        return status, headers, _ID_AND_ADDRESSES.sub(_fill_in, text).encode()

    return answer


def _fill_in(found: re.Match[str]) -> str:
    allocation = ec2._nat_gateways[found.group(1)]["AllocationId"]
    address = ec2._addresses.get(allocation, {}).get("PublicIp", "")
    item = f"<item><allocationId>{allocation}</allocationId><publicIp>{address}</publicIp></item>" if allocation else ""
    before = found.group(0).removesuffix("<natGatewayAddressSet/>")
    return f"{before}<natGatewayAddressSet>{item}</natGatewayAddressSet>"

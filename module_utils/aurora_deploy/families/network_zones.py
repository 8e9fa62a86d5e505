"""Whether the declared Availability Zones can hold the network: asked before any of it is made, because a subnet never
moves to another zone."""

from __future__ import annotations

from collections.abc import Iterator

from aurora_deploy.clients import Aws
from aurora_deploy.errors import DeployError
from aurora_deploy.families.network_plan import NetworkSpec, service_name


def check_zones(aws: Aws, spec: NetworkSpec) -> None:
    """Check `zones` and, where the functions reach AWS through endpoints, the zones of `interface_services`.

    Names of zones are the account's own, and neither every region has a zone "b" for it nor every service every zone
    (EC2 User Guide, "Regions and Zones"; AWS PrivateLink Guide, "Availability Zones").

    Raises:
        DeployError: with every mistake, and the zones that would do.
    """
    usable = _zones(aws)
    mistakes = [f"{zone} is no zone of this account" for zone in spec.zones if zone not in usable]
    if spec.egress == "endpoints":
        offers = _offers(aws, spec)
        mistakes += _lacking(spec, offers, usable)
        usable = usable.intersection(*offers.values())
    if mistakes:
        raise DeployError(
            f"the network cannot be made in {' and '.join(spec.zones)}: {'; '.join(mistakes)}. "
            f"Fix: choose vpc_zones from {', '.join(sorted(usable)) or 'nowhere'}, or set vpc_egress: nat"
        )


def _zones(aws: Aws) -> set[str]:
    filters = [{"Name": "zone-type", "Values": ["availability-zone"]}, {"Name": "state", "Values": ["available"]}]
    found = aws.client("ec2").describe_availability_zones(Filters=filters)["AvailabilityZones"]
    return {str(zone["ZoneName"]) for zone in found}


def _offers(aws: Aws, spec: NetworkSpec) -> dict[str, set[str]]:
    """Return the zones of each interface service; no zone of one that the region does not have."""
    names = {service_name(spec.region, service): service for service in spec.interface_services}
    if not names:
        return {}
    filters = [{"Name": "service-name", "Values": sorted(names)}]
    found = aws.client("ec2").describe_vpc_endpoint_services(Filters=filters)["ServiceDetails"]
    zones = {names[item["ServiceName"]]: set(item["AvailabilityZones"]) for item in found}
    return {service: zones.get(service, set()) for service in spec.interface_services}


def _lacking(spec: NetworkSpec, offers: dict[str, set[str]], usable: set[str]) -> Iterator[str]:
    for service, zones in offers.items():
        if not zones:
            yield f"{spec.region} has no endpoint for {service}"
        elif missing := [zone for zone in spec.zones if zone in usable - zones]:
            yield f"{service} has no endpoint in {' and '.join(missing)}"

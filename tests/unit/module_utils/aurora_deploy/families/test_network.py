from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from aurora_deploy import engine
from aurora_deploy.clients import Aws
from aurora_deploy.diff import UNKNOWN
from aurora_deploy.engine import Outcome
from aurora_deploy.errors import DeployError
from aurora_deploy.families import network, propagation

from .conftest import Answer, Converge

ARGS: dict[str, Any] = {
    "name_prefix": "ar",
    "vpc_id": "",
    "subnet_ids": [],
    "security_group_ids": [],
    "cidr": "10.42.0.0/20",
    "zones": ["us-east-1a", "us-east-1b"],
    "egress": "endpoints",
    "interface_services": ["kms"],
    "gateway_services": [],  # moto forgets the description of a rule for a prefix list
    "database_ports": [5432],
    "database_cidrs": [],
    "tags": {"Project": "ar", "Environment": "test"},
    "state": "present",
}
NAT = {**ARGS, "egress": "nat"}


@pytest.fixture(autouse=True)
def offers(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The zones of each service's endpoint; moto needs packages for this answer that nothing else here needs."""
    zones = {service: ["us-east-1a", "us-east-1b", "us-east-1c"] for service in ("kms", "rds")}

    def describe(Filters: list[dict[str, Any]]) -> dict[str, Any]:
        names = {f"com.amazonaws.us-east-1.{service}": found for service, found in zones.items()}
        [asked] = Filters
        known = [name for name in asked["Values"] if name in names]
        return {"ServiceDetails": [{"ServiceName": name, "AvailabilityZones": names[name]} for name in known]}

    monkeypatch.setattr(aws.client("ec2"), "describe_vpc_endpoint_services", describe)
    return zones


def actions(outcome: Outcome) -> Counter[str]:
    assert not outcome.errors
    return Counter(item["action"] for item in outcome.items)


def find(aws: Aws, operation: str, key: str, name: str) -> dict[str, Any]:
    [found] = aws.pages("ec2", operation, key, Filters=[{"Name": "tag:Name", "Values": [name]}])
    return dict(found)


@pytest.mark.parametrize("args", [ARGS, NAT], ids=["endpoints", "nat"])
def test_check_mode_announces_on_an_empty_account_what_a_run_does_and_the_next_run_changes_nothing(
    run_plan: Converge, args: dict[str, Any]
) -> None:
    announced = run_plan(network.plan, args, check=True)
    done = run_plan(network.plan, args)
    assert announced.items == done.items
    assert announced.diff == done.diff
    assert set(actions(done)) == {"create"}
    assert set(actions(run_plan(network.plan, args))) == {"none"}


def test_later_tasks_get_to_know_the_place_with_what_check_mode_only_announces(aws: Aws, answers: Answer) -> None:
    place = ("VPC ar-vpc", "security group ar-functions", "private subnet of ar")
    unknown = (UNKNOWN, UNKNOWN, [UNKNOWN, UNKNOWN])
    assert answers(network.plan, NAT, check=True) == dict(zip(place, unknown, strict=True))
    made = answers(network.plan, NAT)
    subnets = [find(aws, "describe_subnets", "Subnets", f"ar-private-{number}")["SubnetId"] for number in (1, 2)]
    group = find(aws, "describe_security_groups", "SecurityGroups", "ar-functions")
    assert made == dict(zip(place, (group["VpcId"], group["GroupId"], subnets), strict=True))
    more = {**NAT, "zones": [*NAT["zones"], "us-east-1c"]}
    assert answers(network.plan, more, check=True) == {**made, "private subnet of ar": [*subnets, UNKNOWN]}


def test_without_named_zones_the_subnets_go_where_the_account_may_and_stay_there(
    aws: Aws, run_plan: Converge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offer(*letters: str) -> None:
        zones = [{"ZoneName": f"us-east-1{letter}"} for letter in letters]
        monkeypatch.setattr(aws.client("ec2"), "describe_availability_zones", lambda **_: {"AvailabilityZones": zones})

    def zone(number: int) -> str:
        return str(find(aws, "describe_subnets", "Subnets", f"ar-private-{number}")["AvailabilityZone"])

    offer("d", "c", "a")
    args = {**ARGS, "zones": []}
    announced = run_plan(network.plan, args, check=True)
    assert announced.items == run_plan(network.plan, args).items
    assert (zone(1), zone(2)) == ("us-east-1a", "us-east-1c")
    offer("e", "f")
    assert set(actions(run_plan(network.plan, args))) == {"none"}
    offer("a", "b", "c")
    run_plan(network.plan, {**ARGS, "zones": ["us-east-1a", "us-east-1c", "us-east-1b"]})
    assert set(actions(run_plan(network.plan, args))) == {"none"}


def test_an_account_with_one_zone_is_told_so(aws: Aws, run_plan: Converge, monkeypatch: pytest.MonkeyPatch) -> None:
    only = {"AvailabilityZones": [{"ZoneName": "us-east-1a"}]}
    monkeypatch.setattr(aws.client("ec2"), "describe_availability_zones", lambda **_: only)
    with pytest.raises(DeployError, match=r"two or more different Availability Zones, not \['us-east-1a'\]"):
        run_plan(network.plan, {**ARGS, "zones": []})


def test_removal_leaves_nothing_of_ours(aws: Aws, run_plan: Converge) -> None:
    made = len(run_plan(network.plan, ARGS).items)
    removed = run_plan(network.plan, {**ARGS, "state": "absent"})
    assert actions(removed) == {"delete": made}
    assert not run_plan(network.plan, {**ARGS, "state": "absent"}).items
    ours = [{"Name": "tag:Project", "Values": ["ar"]}]
    assert not list(aws.pages("ec2", "describe_vpcs", "Vpcs", Filters=ours))


def test_a_change_of_egress_makes_the_one_and_removes_the_other(run_plan: Converge) -> None:
    run_plan(network.plan, ARGS)
    announced = run_plan(network.plan, NAT, check=True)
    done = run_plan(network.plan, NAT)
    assert announced.items == done.items
    removed = {item["name"] for item in done.items if item["action"] == "delete"}
    assert removed == {"ar-kms", "ar-endpoints"}
    assert set(actions(run_plan(network.plan, NAT))) == {"none"}


def test_no_group_keeps_the_rule_that_lets_everything_out(aws: Aws, run_plan: Converge) -> None:
    run_plan(network.plan, ARGS)
    for name in ("ar-functions", "ar-endpoints"):
        group = find(aws, "describe_security_groups", "SecurityGroups", name)
        assert not [rule for rule in group["IpPermissionsEgress"] if rule["IpProtocol"] == "-1"]


def test_a_rule_that_somebody_added_is_shown_and_revoked(aws: Aws, run_plan: Converge) -> None:
    run_plan(network.plan, ARGS)
    group = find(aws, "describe_security_groups", "SecurityGroups", "ar-functions")["GroupId"]
    open_door = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    aws.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[open_door])
    [changed] = [item for item in run_plan(network.plan, ARGS).items if item["action"] != "none"]
    assert changed["name"] == "ar-functions"
    assert changed["changes"]["ingress"]["before"][0]["from_port"] == 22
    assert find(aws, "describe_security_groups", "SecurityGroups", "ar-functions")["IpPermissions"] == []


def test_changed_tags_and_dns_settings_are_mended(aws: Aws, run_plan: Converge) -> None:
    run_plan(network.plan, ARGS)
    vpc = find(aws, "describe_vpcs", "Vpcs", "ar-vpc")["VpcId"]
    aws.client("ec2").create_tags(Resources=[vpc], Tags=[{"Key": "Environment", "Value": "wrong"}])
    aws.client("ec2").create_tags(Resources=[vpc], Tags=[{"Key": "Stray", "Value": "x"}])
    aws.client("ec2").modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})
    [changed] = [item for item in run_plan(network.plan, ARGS).items if item["action"] != "none"]
    assert (changed["name"], sorted(changed["changes"])) == ("ar-vpc", ["dns_hostnames", "tags"])
    assert set(actions(run_plan(network.plan, ARGS))) == {"none"}


def test_a_subnet_moved_to_another_route_table_is_moved_back(aws: Aws, run_plan: Converge) -> None:
    run_plan(network.plan, ARGS)
    table = find(aws, "describe_route_tables", "RouteTables", "ar-private")
    association = table["Associations"][0]
    other = aws.client("ec2").create_route_table(VpcId=table["VpcId"])["RouteTable"]["RouteTableId"]
    aws.client("ec2").replace_route_table_association(
        AssociationId=association["RouteTableAssociationId"], RouteTableId=other
    )
    run_plan(network.plan, ARGS)
    back = find(aws, "describe_route_tables", "RouteTables", "ar-private")["Associations"]
    assert association["SubnetId"] in {item.get("SubnetId") for item in back}


def peer(aws: Aws, cidr: str) -> dict[str, str]:
    """Connect the network with another one, with a route to `cidr` in its private table; return the route's target."""
    ec2 = aws.client("ec2")
    table = find(aws, "describe_route_tables", "RouteTables", "ar-private")
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    peering = ec2.create_vpc_peering_connection(VpcId=table["VpcId"], PeerVpcId=other)["VpcPeeringConnection"]
    target = {"VpcPeeringConnectionId": peering["VpcPeeringConnectionId"]}
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=cidr, **target)
    return target


@pytest.mark.parametrize("args", [ARGS, NAT], ids=["endpoints", "nat"])
def test_the_way_to_the_clusters_network_stays(aws: Aws, run_plan: Converge, args: dict[str, Any]) -> None:
    run_plan(network.plan, args)
    target = peer(aws, "10.1.0.0/16")
    assert set(actions(run_plan(network.plan, args))) == {"none"}
    routes = find(aws, "describe_route_tables", "RouteTables", "ar-private")["Routes"]
    assert [route for route in routes if target.items() <= route.items()]


def test_a_way_out_that_somebody_added_is_closed(aws: Aws, run_plan: Converge) -> None:
    run_plan(network.plan, ARGS)
    target = peer(aws, "0.0.0.0/0")
    assert actions(run_plan(network.plan, ARGS))["update"] == 1
    routes = find(aws, "describe_route_tables", "RouteTables", "ar-private")["Routes"]
    assert not [route for route in routes if target.items() <= route.items()]


def test_what_cannot_change_says_so_and_names_the_ways_out(run_plan: Converge) -> None:
    run_plan(network.plan, ARGS)
    outcome = run_plan(network.plan, {**ARGS, "cidr": "10.99.0.0/20"})
    assert "the cidr of an existing VPC cannot change. Fix: restore" in outcome.errors[0]


def test_two_of_one_name_are_refused(aws: Aws, run_plan: Converge) -> None:
    tags = [{"Key": "Project", "Value": "ar"}, {"Key": "Name", "Value": "ar-vpc"}]
    for _ in range(2):
        aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}])
    with pytest.raises(DeployError, match="two resources of the kind vpc carry the Name tag ar-vpc"):
        run_plan(network.plan, ARGS, check=True)


@pytest.mark.parametrize("check", [True, False])
def test_zones_that_cannot_hold_the_network_are_told_before_anything_is_made(
    aws: Aws, run_plan: Converge, offers: dict[str, list[str]], check: bool
) -> None:
    offers["rds"].remove("us-east-1b")
    args = {**ARGS, "zones": ["us-east-1b", "us-east-1g"], "interface_services": ["kms", "rds", "nonesuch"]}
    with pytest.raises(DeployError) as caught:
        run_plan(network.plan, args, check=check)
    for part in (
        "us-east-1g is no zone of this account",
        "rds has no endpoint in us-east-1b",
        "us-east-1 has no endpoint for nonesuch",
    ):
        assert part in str(caught.value)
    assert not list(aws.pages("ec2", "describe_vpcs", "Vpcs", Filters=[{"Name": "tag:Project", "Values": ["ar"]}]))


def test_zones_that_would_do_are_named(run_plan: Converge, offers: dict[str, list[str]]) -> None:
    offers["rds"].remove("us-east-1b")
    with pytest.raises(DeployError, match="Fix: choose vpc_zones from us-east-1a, us-east-1c, or set vpc_egress: nat"):
        run_plan(network.plan, {**ARGS, "interface_services": ["kms", "rds"]})


def test_a_network_that_is_complete_is_not_asked_for_its_zones_again(
    run_plan: Converge, offers: dict[str, list[str]]
) -> None:
    run_plan(network.plan, ARGS)
    offers.clear()
    assert set(actions(run_plan(network.plan, ARGS))) == {"none"}


def existing(aws: Aws, run_plan: Converge, args: dict[str, Any]) -> dict[str, Any]:
    """Make a network and give it as if it were somebody else's."""
    run_plan(network.plan, args)
    return {
        **args,
        "vpc_id": find(aws, "describe_vpcs", "Vpcs", "ar-vpc")["VpcId"],
        "subnet_ids": [find(aws, "describe_subnets", "Subnets", f"ar-private-{n}")["SubnetId"] for n in (1, 2)],
        "security_group_ids": [find(aws, "describe_security_groups", "SecurityGroups", "ar-functions")["GroupId"]],
    }


@pytest.mark.parametrize("args", [ARGS, NAT], ids=["endpoints", "nat"])
def test_an_existing_network_that_fits_is_left_alone(aws: Aws, run_plan: Converge, args: dict[str, Any]) -> None:
    outcome = run_plan(network.plan, existing(aws, run_plan, args))
    assert (outcome.items, outcome.changed) == ([], False)


def test_an_incomplete_existing_network_names_what_is_missing(run_plan: Converge) -> None:
    with pytest.raises(DeployError, match="subnet_ids and security_group_ids are empty"):
        run_plan(network.plan, {**ARGS, "vpc_id": "vpc-1"})


def test_every_misfit_of_an_existing_network_is_reported_at_once(aws: Aws, run_plan: Converge) -> None:
    given = existing(aws, run_plan, ARGS)
    ec2 = aws.client("ec2")
    foreign = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=foreign, CidrBlock="10.1.1.0/24", AvailabilityZone="us-east-1a")["Subnet"]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=foreign)["GroupId"]
    ec2.revoke_security_group_egress(
        GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    wrong = {
        **given,
        "subnet_ids": [subnet["SubnetId"], "subnet-12345678"],
        "security_group_ids": [group],
        "interface_services": ["kms", "rds"],
    }
    with pytest.raises(DeployError) as caught:
        run_plan(network.plan, wrong, check=True)
    for part in (
        "the subnet subnet-12345678 does not exist",
        f"the subnet {subnet['SubnetId']} is in {foreign}",
        "the subnets are all in us-east-1a",
        "neither a NAT or transit gateway route nor endpoints for rds",
        f"the security group {group} is in {foreign}",
        "no security group allows egress to port 443",
        "no security group allows egress to any database port of [5432]",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("operation", "listing", "key", "name"),
    [
        ("create_vpc", "describe_vpcs", "Vpcs", "ar-vpc"),
        ("create_vpc_endpoint", "describe_vpc_endpoints", "VpcEndpoints", "ar-kms"),  # botocore fills no token in
    ],
)
def test_what_takes_no_token_is_found_after_a_lost_reply_and_not_made_twice(
    aws: Aws, run_plan: Converge, monkeypatch: pytest.MonkeyPatch, operation: str, listing: str, key: str, name: str
) -> None:
    monkeypatch.setattr(propagation, "PAUSES", (0,))
    once = aws.client("ec2", retries=False)
    create = getattr(once, operation)

    def lose_the_reply(**parameters: Any) -> None:
        create(**parameters)
        raise ConnectionClosedError(endpoint_url="https://ec2")

    monkeypatch.setattr(once, operation, lose_the_reply)
    assert run_plan(network.plan, ARGS).errors == []
    find(aws, listing, key, name)
    assert not run_plan(network.plan, ARGS).changed


def test_what_was_just_made_may_be_unknown_for_a_moment(
    aws: Aws, run_plan: Converge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(propagation.time, "sleep", lambda _: None)
    ec2, late = aws.client("ec2"), iter(range(2))
    revoke = ec2.revoke_security_group_egress

    def not_yet(**parameters: Any) -> Any:
        if next(late, None) is None:
            return revoke(**parameters)
        raise ClientError({"Error": {"Code": "InvalidGroup.NotFound"}}, "RevokeSecurityGroupEgress")

    monkeypatch.setattr(ec2, "revoke_security_group_egress", not_yet)
    assert run_plan(network.plan, ARGS).errors == []
    assert not run_plan(network.plan, ARGS).changed


def test_what_somebody_removes_during_a_run_is_looked_at_again(
    aws: Aws, run_plan: Converge, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_plan(network.plan, ARGS)
    monkeypatch.setattr(engine.time, "sleep", lambda _: None)
    ec2 = aws.client("ec2")
    delete = ec2.delete_route_table

    def already_gone(**parameters: Any) -> None:
        delete(**parameters)
        raise ClientError({"Error": {"Code": "InvalidRouteTableID.NotFound"}}, "DeleteRouteTable")

    monkeypatch.setattr(ec2, "delete_route_table", already_gone)
    assert run_plan(network.plan, {**ARGS, "state": "absent"}).errors == []

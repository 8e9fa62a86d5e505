"""The planner of copies: every combination of account, region and encryption."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from aurora_restore.arns import AWS_MANAGED_KEY, SnapshotArn, key_arn
from aurora_restore.planning.copies import Destination, Hop, Origin, plan_copy, plan_hops

HERE, THERE = "us-east-1", "eu-west-1"
OWN, OTHER = "123456789012", "999999999999"
COPY, ON_THE_WAY = "orders-staging-copy-op-123456", "orders-staging-hop-op-123456"
KEY = f"arn:aws:kms:{HERE}:{OWN}:key/staging"


class Case(NamedTuple):
    """A snapshot, and for each expected hop: region, source, name, key."""

    account: str
    region: str
    key: str | None
    hops: list[tuple[str, str, str, str | None]]


def arn(account: str, region: str, name: str = "nightly") -> str:
    return str(SnapshotArn("aws", region, account, name))


def key(account: str, region: str) -> str:
    return f"arn:aws:kms:{region}:{account}:key/source"


AWS_KEY_THERE = f"arn:aws:kms:{THERE}:{OWN}:alias/aws/rds"
CASES = {
    "own, here, its key": Case(OWN, HERE, KEY, []),
    "own, here, unencrypted": Case(OWN, HERE, None, []),
    "own, here, another key": Case(OWN, HERE, key(OWN, HERE), [(HERE, arn(OWN, HERE), COPY, KEY)]),
    "own, there, encrypted": Case(OWN, THERE, key(OWN, THERE), [(HERE, arn(OWN, THERE), COPY, KEY)]),
    "own, there, unencrypted": Case(OWN, THERE, None, [(HERE, arn(OWN, THERE), COPY, None)]),
    "shared, here, encrypted": Case(OTHER, HERE, key(OTHER, HERE), [(HERE, arn(OTHER, HERE), COPY, KEY)]),
    "shared, here, unencrypted": Case(OTHER, HERE, None, []),
    "shared, there, encrypted": Case(
        OTHER,
        THERE,
        key(OTHER, THERE),
        [
            (THERE, arn(OTHER, THERE), ON_THE_WAY, AWS_KEY_THERE),
            (HERE, arn(OWN, THERE, ON_THE_WAY), COPY, KEY),
        ],
    ),
    "shared, there, unencrypted": Case(
        OTHER,
        THERE,
        None,
        [(THERE, arn(OTHER, THERE), ON_THE_WAY, None), (HERE, arn(OWN, THERE, ON_THE_WAY), COPY, None)],
    ),
}


def planned(case: Case, hop_key: str | None = None) -> list[Hop]:
    origin = Origin(SnapshotArn("aws", case.region, case.account, "nightly"), case.key is not None, case.key)
    return plan_hops(origin, Destination(HERE, OWN, KEY, hop_key), "orders-staging", "op-123456")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_hops_follow_from_account_region_and_encryption(case: Case) -> None:
    hops = planned(case)
    assert [(hop.region, hop.source_arn, hop.snapshot_id, hop.kms_key_arn) for hop in hops] == case.hops
    for hop in hops:
        assert hop.source_region == hop.source_arn.split(":")[3]
        assert hop.reason


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_no_hop_crosses_account_and_region_at_once_and_each_starts_where_the_one_before_ended(case: Case) -> None:
    at = arn(case.account, case.region)
    for hop in planned(case):
        assert hop.source_arn == at
        _, _, _, region, account, _ = at.split(":", 5)
        assert region == hop.region or account == OWN
        at = arn(OWN, hop.region, hop.snapshot_id)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_key_is_an_arn_in_the_region_of_its_copy(case: Case) -> None:
    for hop in planned(case):
        assert hop.kms_key_arn is None or hop.kms_key_arn.startswith(f"arn:aws:kms:{hop.region}:{OWN}:")


def test_no_two_copies_of_an_operation_have_one_name() -> None:
    names = [hop.snapshot_id for hop in planned(CASES["shared, there, encrypted"])]
    assert len(set(names)) == 2
    assert all(len(name) <= 63 for name in names)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, AWS_KEY_THERE),
        ("alias/hops", f"arn:aws:kms:{THERE}:{OWN}:alias/hops"),
        ("1234abcd", f"arn:aws:kms:{THERE}:{OWN}:key/1234abcd"),
        (f"arn:aws:kms:{THERE}:{OWN}:key/x", f"arn:aws:kms:{THERE}:{OWN}:key/x"),
    ],
)
def test_the_first_of_two_hops_takes_the_requests_key_or_that_of_rds(given: str | None, expected: str) -> None:
    assert planned(CASES["shared, there, encrypted"], given)[0].kms_key_arn == expected


def test_keys_stay_in_their_partition() -> None:
    assert key_arn(AWS_MANAGED_KEY, "cn-north-1", OWN, "aws-cn") == f"arn:aws-cn:kms:cn-north-1:{OWN}:alias/aws/rds"


def test_the_plan_tells_every_hop_and_its_reason() -> None:
    copy = plan_copy(planned(CASES["shared, there, encrypted"]))
    assert copy["needed"] is True
    assert len(copy["hops"]) == 2
    assert all(hop["reason"] in copy["reason"] for hop in copy["hops"])
    assert plan_copy([]) == {"needed": False, "reason": "it can be restored as it is", "hops": []}

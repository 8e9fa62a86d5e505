"""Keys, their policies and grants, as the pipeline reads them."""

from __future__ import annotations

from aurora_restore.aws.kms import Keys
from tests.unit.lambdas.fake_offers import FakeKeys

KEY = "arn:aws:kms:us-east-1:123456789012:key/team"


def test_grants_are_gathered_from_all_pages_for_one_principal() -> None:
    client = FakeKeys()
    client.grants = {(KEY, "me"): ["Decrypt", "CreateGrant", "DescribeKey"], (KEY, "others"): ["Encrypt"]}
    assert Keys(client).granted(KEY, "me") == {"Decrypt", "CreateGrant", "DescribeKey"}
    assert Keys(client).granted(KEY, "nobody") == frozenset()


def test_a_key_says_whether_it_is_one_of_aws() -> None:
    client = FakeKeys()
    assert Keys(client).key(KEY).managed_by_aws is False
    assert Keys(client).key("arn:aws:kms:us-east-1:123456789012:alias/aws/rds").managed_by_aws is True

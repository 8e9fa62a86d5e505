"""Keys of other accounts are described as their policies allow; policies and grants are told by id and ARN."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Aws, name

OTHER = "111111111111"


def key(kms: Any, *actions: str) -> str:
    """A customer key that lets everybody do `actions`; its ARN."""
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": list(actions), "Resource": "*"}
    return str(kms.create_key(Policy=json.dumps({"Statement": [statement]}))["KeyMetadata"]["Arn"])


def test_a_key_of_another_account_is_described_by_its_arn_if_its_policy_allows_it(aws: Aws) -> None:
    arn = key(aws.client("kms", AccessKeyId=OTHER), "kms:DescribeKey")
    assert aws.client("kms").describe_key(KeyId=arn)["KeyMetadata"]["Arn"] == arn


def test_it_is_not_where_the_policy_does_not(aws: Aws) -> None:
    arn = key(aws.client("kms", AccessKeyId=OTHER), "kms:CreateGrant")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        aws.client("kms").describe_key(KeyId=arn)


def test_a_policy_is_told_by_arn_and_by_no_alias(aws: Aws) -> None:
    kms, alias = aws.client("kms"), f"alias/{name('key')}"
    arn = key(kms, "kms:*")
    kms.create_alias(AliasName=alias, TargetKeyId=arn)
    policy = json.loads(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    assert policy["Statement"][0]["Action"] == ["kms:*"]
    with pytest.raises(ClientError, match="NotFoundException"):
        kms.get_key_policy(KeyId=alias, PolicyName="default")


def test_grants_are_listed_by_grantee_page_by_page(aws: Aws) -> None:
    kms = aws.client("kms")
    arn = key(kms, "kms:*")
    me, other = (f"arn:aws:iam::000000000000:role/{who}" for who in ("me", "other"))
    for principal, operation in ((me, "Decrypt"), (me, "CreateGrant"), (other, "Encrypt")):
        kms.create_grant(KeyId=arn, GranteePrincipal=principal, Operations=[operation])
    first = kms.list_grants(KeyId=arn, GranteePrincipal=me, Limit=1)
    second = kms.list_grants(KeyId=arn, GranteePrincipal=me, Limit=1, Marker=first["NextMarker"])
    operations = [grant["Operations"] for page in (first, second) for grant in page["Grants"]]
    assert sorted(operations) == [["CreateGrant"], ["Decrypt"]]
    assert "NextMarker" not in second

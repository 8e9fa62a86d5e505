"""The AWS managed key of RDS is there without having been made."""

from __future__ import annotations

from .conftest import Aws


def test_the_key_of_rds_is_described_by_alias_and_arn(aws: Aws) -> None:
    kms = aws.client("kms")
    key = kms.describe_key(KeyId="alias/aws/rds")["KeyMetadata"]
    assert (key["KeyManager"], key["KeyState"]) == ("AWS", "Enabled")
    assert kms.describe_key(KeyId=key["Arn"])["KeyMetadata"] == key

"""DescribeKey knows the AWS managed key of RDS, which every account has in every region.

ministack has customer keys only. KMS Developer Guide, "AWS managed keys".
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import get_account_id, get_region, json_response
from ministack.services import kms

from emulator.aurora import neighbours
from emulator.aurora.model import Realm
from emulator.settings import Settings


def apply(settings: Settings) -> None:
    """Replace the description of keys."""
    del settings
    describe_key = kms._describe_key

    def describe(request: dict[str, Any]) -> Any:
        realm = Realm(get_account_id(), get_region())
        arn = neighbours.default_key(realm)
        alias = "alias/aws/rds"
        names = (arn, arn.partition("/")[2], alias, f"arn:aws:kms:{realm.region}:{realm.account}:{alias}")
        if request.get("KeyId") not in names:
            return describe_key(request)
        metadata = {
            "AWSAccountId": realm.account,
            "Arn": arn,
            "KeyId": arn.partition("/")[2],
            "KeyManager": "AWS",
            "Enabled": True,
            "KeyState": "Enabled",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "Origin": "AWS_KMS",
            "MultiRegion": False,
        }
        return json_response({"KeyMetadata": metadata})

    kms._describe_key = describe

"""DescribeKey knows the keys of other accounts by ARN, as their policies allow; GetKeyPolicy takes no alias.

ministack looks in the caller's account only, and at the key of an alias. KMS API Reference, DescribeKey and
GetKeyPolicy.
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region, request_scope
from ministack.services import kms

from emulator.aurora import neighbours
from emulator.settings import Settings


def apply(settings: Settings) -> None:
    """Replace the description of keys, and the telling of their policies."""
    del settings
    describe_key, get_key_policy = kms._describe_key, kms._get_key_policy

    def describe(request: dict[str, Any]) -> Any:
        key, caller, region = str(request.get("KeyId", "")), get_account_id(), get_region()
        owner = key.split(":")[4] if key.startswith("arn:") and key.count(":") >= 5 else caller
        if owner == caller:
            return describe_key(request)
        with request_scope(owner, region):
            record = kms._resolve_key(key)
            if record is None or not neighbours.lets(record, caller, "kms:DescribeKey"):
                return error_response_json(
                    "AccessDeniedException",
                    f"Account {caller} is not authorized to perform: kms:DescribeKey on {key}: it does not exist in "
                    "this Region, or no resource-based policy allows access",
                    400,
                )
            return describe_key(request)

    def policy(request: dict[str, Any]) -> Any:
        key = str(request.get("KeyId", ""))
        if "alias/" in key:
            return error_response_json("NotFoundException", f"Invalid keyId {key}", 400)
        return get_key_policy(request)

    kms._describe_key = describe
    kms._get_key_policy = policy

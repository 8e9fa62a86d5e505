"""The KMS key of the new cluster. Keys are told by ARN: across accounts and regions nothing else means the same."""

from __future__ import annotations

from aurora_restore.arns import key_arn, partition_of, region_of
from aurora_restore.aws.rds_types import Cluster
from aurora_restore.context import Context
from aurora_restore.errors import AccessDenied, InvalidRequest, ResourceMissing
from aurora_restore.planning import mirror, source_clusters
from aurora_restore.planning.sources import Found
from aurora_restore.request import Request


def cluster_key(context: Context, request: Request, target: Cluster, found: Found) -> tuple[str | None, str]:
    """The key's ARN and where it came from: the request's, else the target's, else the source's.

    A source's key serves in its own region and account only; instead of another's, the pipeline's own is taken. None
    for an unencrypted source and target. Raises InvalidRequest and EncryptionNotPossible.
    """
    key, origin = _wanted(context, request, target, found)
    if found.live:
        source_clusters.require_encryption(found.live, key is not None)
    return key, origin


def _wanted(context: Context, request: Request, target: Cluster, found: Found) -> tuple[str | None, str]:
    settings = context.settings
    partition = partition_of(target.arn)
    if request.target.kms_key:
        key = key_arn(request.target.kms_key, settings.region, settings.account_id, partition)
        if region_of(key) != settings.region:
            raise InvalidRequest(f"target.kms_key: {key} is not in {settings.region}, where the target is.")
        return _behind(context, key), mirror.REQUEST
    if target.kms_key_id:
        return target.kms_key_id, mirror.TARGET
    if not found.encrypted or not found.kms_key_id:
        return None, found.origin
    if (found.place.region, found.place.account) == (settings.region, settings.account_id):
        return found.kms_key_id, found.origin
    return key_arn(settings.kms_key_id, settings.region, settings.account_id, partition), mirror.PIPELINE


def _behind(context: Context, key: str) -> str:
    """The key behind an alias: a snapshot tells its key's own ARN, and the same key needs no copy.

    An alias that cannot be looked at stays one; the plan's look at the keys tells why.
    """
    if ":alias/" not in key:
        return key
    try:
        return context.keys_in(region_of(key)).key(key).arn
    except (AccessDenied, ResourceMissing):
        return key

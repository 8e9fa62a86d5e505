"""The KMS key of the new cluster. Keys are told by ARN: across accounts and regions nothing else means the same."""

from __future__ import annotations

from aurora_restore.arns import key_arn, partition_of, region_of
from aurora_restore.aws.rds_types import Cluster
from aurora_restore.errors import InvalidRequest
from aurora_restore.planning import mirror, source_clusters
from aurora_restore.planning.sources import Found
from aurora_restore.request import Request
from aurora_restore.settings import Settings


def cluster_key(request: Request, settings: Settings, target: Cluster, found: Found) -> tuple[str | None, str]:
    """The key's ARN and where it came from: the request's, else the target's, else the source's.

    A source's key serves in its own region and account only; instead of another's, the pipeline's own is taken. None
    for an unencrypted source and target. Raises InvalidRequest and EncryptionNotPossible.
    """
    key, origin = _wanted(request, settings, target, found)
    if found.live:
        source_clusters.require_encryption(found.live, key is not None)
    return key, origin


def _wanted(request: Request, settings: Settings, target: Cluster, found: Found) -> tuple[str | None, str]:
    partition = partition_of(target.arn)
    if request.target.kms_key:
        key = key_arn(request.target.kms_key, settings.region, settings.account_id, partition)
        if region_of(key) != settings.region:
            raise InvalidRequest(f"target.kms_key: {key} is not in {settings.region}, where the target is.")
        return key, mirror.REQUEST
    if target.kms_key_id:
        return target.kms_key_id, mirror.TARGET
    if not found.encrypted or not found.kms_key_id:
        return None, found.origin
    if (found.place.region, found.place.account) == (settings.region, settings.account_id):
        return found.kms_key_id, found.origin
    return key_arn(settings.kms_key_id, settings.region, settings.account_id, partition), mirror.PIPELINE

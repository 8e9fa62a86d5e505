"""Finding the customer key: by id, ARN or alias, and by its tags where a run was killed before naming it."""

from __future__ import annotations

from typing import Any

from aurora_deploy.clients import Aws, together
from aurora_deploy.errors import is_code
from aurora_deploy.tags import tag_map

_BEST_FIRST = ("Enabled", "Disabled", "PendingDeletion")


def identity(alias: str) -> dict[str, str]:
    """Return the tags by which the key of a deployment is known without its alias, `alias/<name_prefix>`."""
    return {"Project": alias.removeprefix("alias/"), "Purpose": "customer-key"}


def describe(aws: Aws, key: str) -> dict[str, Any] | None:
    """Return the KeyMetadata of a key by id, ARN or alias; None if there is none (KMS DescribeKey)."""
    try:
        metadata: dict[str, Any] = aws.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    except aws.client("kms").exceptions.NotFoundException:
        return None
    return metadata


def find_by_tags(aws: Aws, alias: str) -> dict[str, Any] | None:
    """Return the KeyMetadata of the key with the identity of `alias`: of several the most usable, then the oldest.

    KMS has no search: ListKeys, and ListResourceTags for each.
    """
    tags = together(
        lambda key_id: tags_of(aws, key_id), [key["KeyId"] for key in aws.pages("kms", "list_keys", "Keys")]
    )
    ours = [key_id for key_id, found in tags.items() if identity(alias).items() <= found.items()]
    found = [metadata for key_id in ours if (metadata := describe(aws, key_id)) and metadata["KeyState"] in _BEST_FIRST]
    return min(found, key=lambda key: (_BEST_FIRST.index(key["KeyState"]), key["CreationDate"]), default=None)


def tags_of(aws: Aws, key_id: str) -> dict[str, str]:
    """Return the tags of a key; one that we may not look at is not ours and has none (KMS ListResourceTags)."""
    try:
        return tag_map(aws.pages("kms", "list_resource_tags", "Tags", KeyId=key_id), "Tag")
    except Exception as error:
        if is_code(error, "AccessDeniedException", "NotFoundException"):
            return {}
        raise

"""Tags as one mapping here, and as the lists that AWS takes and gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def tag_list(tags: Mapping[str, str], prefix: str = "") -> list[dict[str, str]]:
    """Return tags as AWS's list; KMS calls the members TagKey and TagValue: `prefix="Tag"`."""
    return [{f"{prefix}Key": key, f"{prefix}Value": value} for key, value in sorted(tags.items())]


def tag_map(tags: Iterable[Mapping[str, str]], prefix: str = "") -> dict[str, str]:
    """Return AWS's list as one mapping, without the `aws:` tags that only AWS itself can set."""
    return own({tag[f"{prefix}Key"]: tag[f"{prefix}Value"] for tag in tags})


def own(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags without the `aws:` ones, which only AWS itself can set and remove."""
    return {key: value for key, value in tags.items() if not key.startswith("aws:")}


def removed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the keys of the tags that have to go."""
    return sorted(set(before) - set(after))

"""GetResources lists the tags of alarms and of log groups too.

ministack's index lacks both, and takes the name of a log group, which holds slashes, for part of its type. Resource
Groups Tagging API Reference, GetResources; its user guide, "Services that support the Resource Groups Tagging API".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ministack.core.responses import get_region
from ministack.services import cloudwatch, cloudwatch_logs, tagging

from emulator.settings import Settings

Tagged = Iterator[tuple[str, list[dict[str, str]]]]


def apply(settings: Settings) -> None:
    """Add the two services and read the type of a log group from its ARN."""
    del settings
    tagging._COLLECTORS["cloudwatch"] = _alarms
    tagging._COLLECTORS["logs"] = _log_groups
    matches = tagging._matches_type_filters

    def match(arn: str, filters: list[str]) -> Any:
        kind, group, _ = arn.partition(":log-group:")
        return matches(kind + group if group else arn, filters)

    tagging._matches_type_filters = match


def _alarms() -> Tagged:
    for arn, tags in cloudwatch._resource_tags.items():
        if arn.split(":")[3] == get_region():
            yield arn, tagging._normalise_flat(tags)


def _log_groups() -> Tagged:
    for group in cloudwatch_logs._log_groups.values():
        yield group["arn"].removesuffix(":*"), tagging._normalise_flat(group["tags"])

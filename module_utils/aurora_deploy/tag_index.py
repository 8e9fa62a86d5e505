"""The tags of many resources in one call, where their service has only a call for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from botocore.exceptions import ClientError

from aurora_deploy.clients import Aws, together
from aurora_deploy.errors import is_code
from aurora_deploy.tags import tag_map

Tags = dict[str, str]


def read_tags(
    aws: Aws, kind: str, expected: Mapping[str, str], arns: Mapping[str, str], read: Callable[[str], Tags]
) -> dict[str, Tags]:
    """Return the tags of resources by name, all of which are declared to be `expected`.

    The index of the Resource Groups Tagging API follows changes late. So it is believed only where it shows what is
    `expected`; whatever else it shows, and what it lacks, is read from the service itself before anybody hears of it.

    Args:
        kind: the index's name of the type, for example "logs:log-group".
        arns: the resources' ARNs by name.
        read: gives the tags of one ARN (the service's own call).
    """
    project = expected.get("Project")
    shown = _index(aws, kind, project) if project and len(arns) > 1 else {}
    return together(lambda name: dict(expected) if shown.get(arns[name]) == expected else read(arns[name]), arns)


def _index(aws: Aws, kind: str, project: str) -> dict[str, Tags]:
    """GetResources: all of one type and project, a hundred a call. An index that we may not see is empty."""
    found = aws.pages(
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        ResourceTypeFilters=[kind],
        TagFilters=[{"Key": "Project", "Values": [project]}],
        ResourcesPerPage=100,
    )
    try:
        return {item["ResourceARN"]: tag_map(item["Tags"]) for item in found}
    except ClientError as error:
        if not is_code(error, "AccessDeniedException"):
            raise
    return {}

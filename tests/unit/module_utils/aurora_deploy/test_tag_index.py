from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aurora_deploy.tag_index import read_tags

EXPECTED = {"Project": "ar", "Environment": "test"}
ARNS = {"one": "arn:1", "two": "arn:2"}


class Index:
    """Stands in for the connection: gives the entries of the index, or fails."""

    def __init__(self, *entries: tuple[str, dict[str, str]], error: str = "") -> None:
        self.asked: list[dict[str, Any]] = []
        self._entries = entries
        self._error = error

    def pages(self, *_: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        self.asked.append(parameters)
        if self._error:
            raise ClientError({"Error": {"Code": self._error, "Message": "no"}}, "GetResources")
        for arn, tags in self._entries:
            yield {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def tags(index: Index, arns: dict[str, str] | None = None) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Return what is said about the resources, and the ARNs whose service was asked; each has the tag Real."""
    asked: list[str] = []

    def read(arn: str) -> dict[str, str]:
        asked.append(arn)
        return {"Real": arn}

    found = read_tags(index, "logs:log-group", EXPECTED, ARNS if arns is None else arns, read)  # type: ignore[arg-type]
    return found, sorted(asked)


def test_what_the_index_shows_as_expected_is_not_asked_for_again() -> None:
    index = Index(("arn:1", EXPECTED), ("arn:2", {**EXPECTED, "aws:cloudformation:stack-name": "x"}), ("arn:3", {}))
    assert tags(index) == ({"one": EXPECTED, "two": EXPECTED}, [])
    [parameters] = index.asked
    assert parameters["TagFilters"] == [{"Key": "Project", "Values": ["ar"]}]
    assert parameters["ResourceTypeFilters"] == ["logs:log-group"]


@pytest.mark.parametrize("entry", [[], [("arn:2", {"Project": "ar"})], [("arn:2", {**EXPECTED, "Stray": "x"})]])
def test_what_the_index_shows_otherwise_or_not_at_all_is_read_from_its_service(
    entry: list[tuple[str, dict[str, str]]],
) -> None:
    assert tags(Index(("arn:1", EXPECTED), *entry)) == ({"one": EXPECTED, "two": {"Real": "arn:2"}}, ["arn:2"])


def test_one_resource_is_read_from_its_service_as_that_is_one_call_too() -> None:
    index = Index(("arn:1", EXPECTED))
    assert tags(index, {"one": "arn:1"}) == ({"one": {"Real": "arn:1"}}, ["arn:1"])
    assert (tags(index, {}), index.asked) == (({}, []), [])


def test_without_the_right_to_see_the_index_every_resource_is_read_from_its_service() -> None:
    found, asked = tags(Index(error="AccessDeniedException"))
    assert asked == list(ARNS.values())
    assert found == {name: {"Real": arn} for name, arn in ARNS.items()}


def test_another_failure_of_the_index_is_told() -> None:
    with pytest.raises(ClientError, match="InternalServiceException"):
        tags(Index(error="InternalServiceException"))

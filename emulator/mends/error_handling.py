"""Retry and Catch as the Amazon States Language and "Handling errors in Step Functions workflows" define them.

ministack ignores ``MaxDelaySeconds`` and ``JitterStrategy``, and lets the wildcards match errors that no wildcard
matches.
"""

from __future__ import annotations

import random
from typing import Any

from ministack.services import stepfunctions

from emulator.settings import Settings

_WILDCARDS = {"States.ALL", "States.TaskFailed"}


def apply(settings: Settings) -> None:
    """Replace the matching of errors and the choice of a retrier."""
    del settings
    error_matches = stepfunctions._error_matches
    find_retrier = stepfunctions._find_matching_retrier

    def matches(error_equals: list[str], error: str) -> bool:
        if error == "States.Runtime":
            return False
        if error == "States.DataLimitExceeded":
            return error in error_equals
        return bool(error_matches(error_equals, error))

    def retrier_for(retriers: list[dict[str, Any]], error: str, counts: dict[int, int]) -> Any:
        retrier, index = find_retrier(retriers, error, counts)
        if retrier is None:
            return retrier, index
        delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** counts.get(index, 0)
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        if retrier.get("JitterStrategy") == "FULL":
            delay = random.uniform(0, delay)
        # The caller computes IntervalSeconds * BackoffRate ** n: with a rate of 1 it waits what is decided here.
        return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1}, index

    stepfunctions._error_matches = matches
    stepfunctions._find_matching_retrier = retrier_for

"""Collects refusals, so that an operator sees every problem at once and not one a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from aurora_restore.errors import RestoreError, RetryableAwsError, SeveralProblems

P = ParamSpec("P")
T = TypeVar("T")


class Problems:
    """What speaks against an operation so far."""

    def __init__(self) -> None:
        self._found: list[RestoreError] = []

    def check(self, look: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """What `look` returns; None when it refuses, and then its error is remembered.

        RetryableAwsError leaves at once: it says nothing about the request, and the state machine tries again.
        """
        try:
            return look(*args, **kwargs)
        except RetryableAwsError:
            raise
        except RestoreError as error:
            self.add(error)
            return None

    def add(self, error: RestoreError) -> None:
        """Remember one; the same refusal of two checks counts once."""
        if str(error) not in map(str, self._found):
            self._found.append(error)

    def need(self, value: T | None) -> T:
        """What a check returned. Raises what was found when it refused, because nothing can go on without it."""
        if value is None:
            raise self._error()
        return value

    def raise_found(self) -> None:
        """Raise a single problem as itself, several as SeveralProblems; nothing when there is none."""
        if self._found:
            raise self._error()

    def _error(self) -> RestoreError:
        if len(self._found) == 1:
            return self._found[0]
        return SeveralProblems.of(self._found)

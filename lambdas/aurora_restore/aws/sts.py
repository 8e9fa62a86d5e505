"""Who the function is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aurora_restore.aws.calls import call


class Identity:
    """AWS STS, as far as the guard rails need it."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def account_id(self) -> str:
        """The account of the credentials in use (GetCallerIdentity)."""
        return str(call(self._client().get_caller_identity)["Account"])

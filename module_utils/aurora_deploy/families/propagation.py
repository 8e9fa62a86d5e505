"""Patience with IAM and KMS, whose changes reach other services seconds after the call that made them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

T = TypeVar("T")


def once_propagated(call: Callable[[], T], pending: Callable[[ClientError], bool], *, seconds: float = 90) -> T:
    """Return what `call` gives, repeating it while it fails with an error for which `pending` is true.

    There is no status to wait for: only the call itself tells (IAM User Guide, "Changes that I make are not always
    immediately visible"). After `seconds` the last error is raised.
    """
    deadline = time.monotonic() + seconds
    pause = 1.0
    while True:
        try:
            return call()
        except ClientError as error:
            if not pending(error) or time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(pause * 1.5, 8)

"""Patience with AWS: changes that other services see seconds later, and replies that never came."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from aurora_deploy.errors import AWS_ERRORS, is_transient

T = TypeVar("T")

PAUSES = (0.5, 1, 2, 4)
"""Seconds between attempts at a creation that takes no client token."""


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


def made_once(make: Callable[[], T], find: Callable[[], T | None]) -> T:
    """Return what `make` makes, for creations that take no client token and would make a second one when repeated.

    `make` calls a client without retries. After a failure that may have hidden a success, `find` looks first.
    """
    pauses = list(PAUSES)
    while True:
        try:
            return make()
        except AWS_ERRORS as error:
            if not pauses or not is_transient(error):
                raise
        time.sleep(pauses.pop(0))
        if found := find():
            return found

"""Answers to tasks of Step Functions that wait for somebody."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aurora_restore.aws.calls import call


class Tasks:
    """AWS Step Functions, the callback pattern. A token is the right to answer: it never enters a message or a log."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def succeed(self, token: str, output: Mapping[str, Any]) -> None:
        """Let the execution go on with `output` as the task's result (SendTaskSuccess)."""
        call(self._client().send_task_success, taskToken=token, output=json.dumps(output))

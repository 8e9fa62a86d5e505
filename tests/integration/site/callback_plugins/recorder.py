"""Writes what every task returned to the file that RECORDER_FILE names, one JSON object a line, for the tests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: recorder
type: aggregate
short_description: writes the results of all tasks as JSON lines
description: For tests, which compare what tasks return.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible ships no types
    """Records successes and failures alike."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "recorder"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record(result)

    def _record(self, result: Any) -> None:
        line = {"action": result.task.action, "task": result.task.get_name(), "result": result.result}
        with Path(os.environ["RECORDER_FILE"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")

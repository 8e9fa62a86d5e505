"""Writes the results of our modules to the file that DECLARED_RESULTS names, as JSON: module -> the results' items."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: declared
type: aggregate
short_description: Writes the items of results to a file
description: Only for the benchmark, which learns from a check run what site.yml declares.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible ships no types
    """Collects `items` of every task that has some."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "declared"

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[str, list[Any]] = {}

    def v2_runner_on_ok(self, result: Any) -> None:
        """Keep what a task announced."""
        if items := result.result.get("items"):
            self._found.setdefault(result.task.action, []).extend(items)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Write the file once everything has run."""
        Path(os.environ["DECLARED_RESULTS"]).write_text(json.dumps(self._found, default=str), encoding="utf-8")

"""The floor: one Python process with boto3 and eight threads that looks for every resource and makes what is not there.

It compares nothing but one function's memory and shows nothing. No tool that compares and tells can be faster.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

from benchmarks.calls import resources
from benchmarks.forms import REPOSITORY, Form, Place
from benchmarks.forms.ours import EDITED_STEP
from benchmarks.stack import Stack


class Floor(Form):
    """The least that a deployment can cost."""

    name = "floor"
    title = "floor: one boto3 process, eight threads, existence only"

    def missing(self) -> str | None:
        return None

    def prepare(self, place: Place, stack: Stack, edited: Stack) -> None:
        self._package = place.package
        everything = [dataclasses.asdict(resource) for resource in resources(stack)]
        (place.directory / "stack.json").write_text(json.dumps(everything), encoding="utf-8")
        function = next(name for name in edited.functions if name.endswith(f"-{EDITED_STEP}"))
        edit = {"FunctionName": function, "MemorySize": edited.functions[function]["memory"]}
        (place.directory / "edit.json").write_text(json.dumps(edit), encoding="utf-8")

    def command(self, scenario: str) -> list[str] | None:
        if scenario == "check":
            return None
        arguments = [sys.executable, str(Path(__file__).with_name("floor_run.py")), "stack.json", str(self._package)]
        return [*arguments, "edit.json"] if scenario == "lambda" else arguments

    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(REPOSITORY)}

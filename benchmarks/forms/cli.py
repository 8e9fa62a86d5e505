"""The AWS CLI form, as in the guide: a script that looks for each resource and creates what is not there."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.calls import PACKAGE, Call, Resource, resources
from benchmarks.forms import Form, Place
from benchmarks.forms.ours import EDITED_STEP
from benchmarks.stack import Stack

_HEADER = """\
#!/bin/bash
# Looks for each resource, and makes what is not there. References like @key@ are replaced by what AWS answered.
set -euo pipefail
export AWS_PAGER=
declare -A known
put() { # text -> the text with every reference replaced
  local text=$1 reference
  for reference in "${!known[@]}"; do text=${text//"$reference"/${known[$reference]}}; done
  printf '%s' "$text"
}
call() { # service, operation, parameters, query
  aws "$1" "$2" --cli-input-json "$(put "$3")" --query "$4" --output text
}
found() { # the same: fails where nothing is found
  answer=$(call "$@" 2>/dev/null) && [[ $answer != None && -n $answer ]]
}
"""


class Cli(Form):
    """A bash script of `aws` commands."""

    name = "cli"
    title = "AWS CLI script, as in the guide"

    def missing(self) -> str | None:
        return None if shutil.which("aws") else "no aws command on the PATH"

    def prepare(self, place: Place, stack: Stack, edited: Stack) -> None:
        everything = resources(stack)
        (place.directory / "deploy.sh").write_text(script(everything, place.package), encoding="utf-8")
        function = next(name for name in edited.functions if name.endswith(f"-{EDITED_STEP}"))
        edit = {"FunctionName": function, "MemorySize": edited.functions[function]["memory"]}
        part = [
            item for item in everything if item.name in stack.functions or item.stage == 0 or item.read.service == "ec2"
        ]
        update = _line(Call("lambda", "update_function_configuration", edit), ">/dev/null")
        (place.directory / "lambda.sh").write_text(script(part, place.package) + update + "\n", encoding="utf-8")

    def command(self, scenario: str) -> list[str] | None:
        scripts = {"cold": "deploy.sh", "none": "deploy.sh", "lambda": "lambda.sh"}
        return ["bash", scripts[scenario]] if scenario in scripts else None


def script(wanted: list[Resource], package: Path) -> str:
    """Return the script that makes these resources."""
    lines = [line for resource in sorted(wanted, key=lambda item: item.stage) for line in _lines(resource)]
    return _HEADER + "\n".join(lines).replace(PACKAGE, "").replace("@zip@", shlex.quote(f"fileb://{package}")) + "\n"


def _lines(resource: Resource) -> Iterator[str]:
    reference, where = next(iter(resource.read.learn.items()), ("", resource.found or "keys(@)[0]"))
    yield f"# {resource.name}"
    read = _line(resource.read, query=where).replace("call", "found", 1)
    if reference:
        yield f"if {read}; then known[{reference}]=$answer; else"
    else:
        yield f"if ! {read}; then"
    for call in resource.make:
        learnt = next(iter(call.learn), "")
        line = _line(call, query=call.learn.get(learnt, "keys(@)[0]"))
        yield f"  known[{learnt}]=$({line})" if learnt else f"  {line} >/dev/null"
    yield "fi"


def _line(call: Call, redirect: str = "", query: str = "keys(@)[0]") -> str:
    parameters: dict[str, Any] = dict(call.parameters)
    code = parameters.pop("Code", None)
    command = [
        "call",
        call.service,
        call.operation.replace("_", "-"),
        shlex.quote(json.dumps(parameters)),
        shlex.quote(query),
    ]
    if code:  # the CLI reads the zip from a file
        plain = f"aws {call.service} {call.operation.replace('_', '-')} --zip-file @zip@ --query {shlex.quote(query)} "
        return f'{plain}--output text --cli-input-json "$(put {shlex.quote(json.dumps(parameters))})"'
    return " ".join([*command, *([redirect] if redirect else [])])

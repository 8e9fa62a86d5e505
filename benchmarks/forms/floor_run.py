"""Run by the floor: `floor_run.py <stack.json> <package> [<edit.json>]`; with an edit, the functions alone.

What a service can list is listed once (functions, alarms, log groups, roles); the rest is described one by one.
"""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import botocore.session
import jmespath  # type: ignore[import-untyped]
from botocore.config import Config
from botocore.exceptions import ClientError

THREADS = 8
# service -> operation, path of the names
_LISTS = {
    "lambda": [("list_functions", "Functions[].FunctionName")],
    "cloudwatch": [
        ("describe_alarms", "MetricAlarms[].AlarmName"),
        ("list_dashboards", "DashboardEntries[].DashboardName"),
    ],
    "logs": [("describe_log_groups", "logGroups[].logGroupName")],
    "iam": [("list_roles", "Roles[].RoleName")],
}


class Floor:
    """The clients, what exists, and what the references stand for."""

    def __init__(self, package: Path) -> None:
        self._session = botocore.session.Session()
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._package = package
        self.known: dict[str, str] = {}
        self.listed: dict[str, set[str]] = {}

    def client(self, service: str) -> Any:
        """Return the shared client of a service."""
        with self._lock:
            if service not in self._clients:
                config = Config(max_pool_connections=THREADS, retries={"mode": "standard"})
                self._clients[service] = self._session.create_client(service, config=config)
            return self._clients[service]

    def list(self, service: str) -> None:
        """List the names of what a service holds."""
        names: set[str] = set()
        for operation, path in _LISTS[service]:
            for page in self.client(service).get_paginator(operation).paginate():
                names.update(jmespath.search(path, page) or [])
        self.listed[service] = names

    def ensure(self, resource: dict[str, Any]) -> None:
        """Make one resource where it is not there."""
        service = resource["read"]["service"]
        if resource["name"] in self.listed.get(service, ()):
            return
        if service not in self.listed and self._exists(resource):
            return
        for call in resource["make"]:
            self.call(call)

    def _exists(self, resource: dict[str, Any]) -> bool:
        try:
            answer = self.call(resource["read"], needed=False)
        except ClientError:
            return False
        return bool(jmespath.search(resource["found"], answer)) if resource["found"] else True

    def call(self, call: dict[str, Any], *, needed: bool = True) -> Any:
        """Make one call and keep what it teaches."""
        text = json.dumps(call["parameters"])
        for reference, value in self.known.items():
            text = text.replace(reference, value)
        parameters = json.loads(text)
        if "Code" in parameters:
            parameters["Code"] = {"ZipFile": self._package.read_bytes()}
        answer = getattr(self.client(call["service"]), call["operation"])(**parameters)
        for reference, path in call["learn"].items():
            value = jmespath.search(path, answer)
            if value is None and not needed:
                continue
            self.known[reference] = value
        return answer


def main(stack: Path, package: Path, edit: Path | None) -> None:
    """Deploy the stack, or its functions and one edit."""
    floor, wanted = Floor(package), json.loads(stack.read_text())
    if edit:
        wanted = [resource for resource in wanted if resource["stage"] == 3]
    services = {resource["read"]["service"] for resource in wanted} & _LISTS.keys()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(floor.list, services))
        for stage in sorted({resource["stage"] for resource in wanted}):
            list(pool.map(floor.ensure, [resource for resource in wanted if resource["stage"] == stage]))
    if edit:
        floor.client("lambda").update_function_configuration(**json.loads(edit.read_text()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)

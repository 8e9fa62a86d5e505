"""site.yml run as an operator runs it, with what every task returned, on accounts of a local AWS."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest

from emulator.launcher import Emulator

REGION = "us-east-1"
_TIMEOUT_SECONDS = 240


@dataclass(frozen=True)
class Item:
    """One resource in the result of a task. `kind` is what diffs call it, and "" where nothing changes."""

    task: str
    kind: str
    name: str
    action: str
    changes: dict[str, dict[str, Any]]
    diff: dict[str, str]

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.task, self.kind, self.name, self.action


@dataclass(frozen=True)
class Run:
    """What a run of a playbook printed and returned, and whether it succeeded."""

    output: str
    code: int
    results: dict[str, dict[str, Any]]
    """Result by task, of the tasks that converge items."""

    @cached_property
    def items(self) -> list[Item]:
        """Every item of every task, in order."""
        found = []
        for task, result in self.results.items():
            diffs = iter(result["diff"])
            for item in result["items"]:
                diff = {} if item["action"] == "none" else next(diffs)
                kind = diff["after_header"].removesuffix(f" {item['name']}") if diff else ""
                found.append(Item(task, kind, item["name"], item["action"], item["changes"], diff))
            assert next(diffs, None) is None, f"{task} shows more than it changes"
        return found

    @property
    def changed(self) -> list[Item]:
        """The items that are not as declared."""
        return [item for item in self.items if item.action != "none"]


@dataclass
class Site:
    """One account of the local AWS, and the repository's playbooks on it."""

    emulator: Emulator
    repository: Path
    scratch: Path
    account: str
    variables: dict[str, Any] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def prefix(self) -> str:
        return str(self.variables["name_prefix"])

    def client(self, service: str) -> Any:
        credentials = {"aws_access_key_id": self.account, "aws_secret_access_key": "local"}
        return boto3.client(service, region_name=REGION, endpoint_url=self.emulator.endpoint_url, **credentials)

    def deploy(self, *arguments: str, **variables: Any) -> Run:
        """Run site.yml; it must not fail."""
        run = self.play("site.yml", *arguments, **variables)
        assert run.code == 0, run.output
        return run

    def play(self, playbook: str, *arguments: str, **variables: Any) -> Run:
        """Run a playbook to its end."""
        process, record = self.start(playbook, *arguments, **variables)
        output, _ = process.communicate(timeout=_TIMEOUT_SECONDS)
        return Run(output, process.returncode, dict(_results(record)))

    def killed(self, playbook: str, when: Callable[[], bool]) -> bool:
        """Start a playbook, kill it with all its workers once `when` is true; tell whether it had not ended before."""
        process, _ = self.start(playbook)
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if when():
                os.killpg(process.pid, signal.SIGKILL)
                break
            time.sleep(0.01)
        process.communicate(timeout=_TIMEOUT_SECONDS)
        return process.returncode == -signal.SIGKILL

    def start(self, playbook: str, *arguments: str, **variables: Any) -> tuple[subprocess.Popen[str], Path]:
        """Start a playbook in a process group of its own; its results go to the file returned."""
        record = self.scratch / f"{self.account}-{next(self._numbers)}.jsonl"
        extra = {"account_id": self.account, "aws_profile": "", "aws_config_file": "", **self.variables, **variables}
        ansible = str(Path(sys.executable).parent / "ansible-playbook")
        process = subprocess.Popen(
            [ansible, "-i", "inventories/local", playbook, *arguments, "-e", json.dumps(extra)],
            cwd=self.repository,
            env={
                **os.environ,
                "AWS_ENDPOINT_URL": self.emulator.endpoint_url,
                "AWS_ACCESS_KEY_ID": self.account,
                "AWS_SECRET_ACCESS_KEY": "local",
                "AWS_REGION": REGION,
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callback_plugins"),
                "ANSIBLE_CALLBACKS_ENABLED": "recorder",
                "RECORDER_FILE": str(record),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return process, record

    def emulate(self, method: str, path: str, **values: Any) -> Any:
        """Call the emulator's own API."""
        url = f"{self.emulator.endpoint_url}/_emulator/{path}"
        request = urllib.request.Request(url, json.dumps(values).encode() if values else None, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return json.load(answer)


def _results(record: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    for line in map(json.loads, lines):
        if "items" in line["result"]:
            yield line["task"], line["result"]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One local AWS for all tests of this folder; each takes an account of its own."""
    with Emulator(tmp_path_factory.mktemp("site") / "state", wait_scale=0, aurora_scale=0) as running:
        yield running


@pytest.fixture(scope="module")
def new_site(emulator: Emulator, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Site]:
    """`new_site(account, **variables)` is site.yml on an empty account, with these extra variables."""
    scratch = tmp_path_factory.mktemp("record")
    bundle = emulator.settings.state_dir / "ca.pem"

    def make(account: str, **variables: Any) -> Site:
        shared = {"name_prefix": "ar", "lambda_rds_ca_bundle": str(bundle), "lambda_package": str(scratch / "app.zip")}
        return Site(emulator, repository, scratch, account, {**shared, **variables})

    return make

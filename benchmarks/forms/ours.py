"""Ours: site.yml as an operator runs it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.forms import REPOSITORY, Form, Place
from benchmarks.stack import Stack

PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"
EDITED_STEP = "verify-restore"
EDITED_MEMORY = 512
_INVENTORY = REPOSITORY / "inventories" / "local"


class Ours(Form):
    """`ansible-playbook site.yml`."""

    name = "ours"
    title = "this repository: ansible-playbook site.yml"

    def missing(self) -> str | None:
        return None

    def prepare(self, place: Place, stack: Stack, edited: Stack) -> None:
        self._variables = {"lambda_rds_ca_bundle": str(place.ca_file), "lambda_package": str(place.package)}

    def command(self, scenario: str) -> list[str]:
        return site(self._variables, scenario)

    def environment(self) -> Mapping[str, str]:
        return {"ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg")}


def site(variables: Mapping[str, object], scenario: str) -> list[str]:
    """Return the command that runs site.yml in a scenario."""
    if scenario == "lambda":
        variables = {**variables, "lambda_overrides": {EDITED_STEP: {"memory": EDITED_MEMORY}}}
    arguments = {"check": ["--check", "--diff"], "lambda": ["--tags", "lambda"]}.get(scenario, [])
    site_yml = str(REPOSITORY / "site.yml")
    return [str(PLAYBOOK), "-i", str(_INVENTORY), site_yml, *arguments, "-e", json.dumps(variables)]

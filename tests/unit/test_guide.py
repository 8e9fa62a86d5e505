"""docs/guide.md, which says what each section of the configuration guide became, against what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from tests.unit.test_configuration import GUIDE_DEFAULTS, GUIDE_REQUIRED

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/guide.md"
ROW = re.compile(r"^\| `([A-Z_]+)` \| `([a-z_]+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
# The guide's own names, by the variable of vars/names.yml that holds each.
NAMES = {
    "master_secret": "aurora-restore/master-credentials",
    "app_secret": "aurora-restore/app-credentials",
    "state_table": "aurora-restore-state",
    "audit_table": "aurora-restore-audit",
    "topic": "aurora-restore-notifications",
    "state_machine": "aurora-restore-state-machine",
    "step_functions_role": "aurora-restore-step-functions-role",
}


def rows() -> dict[str, tuple[str, str, str]]:
    """By variable of the guide: the inventory's key, the guide's default, the default here."""
    return {found[1]: (found[2], found[3], found[4]) for found in ROW.finditer(PAGE.read_text(encoding="utf-8"))}


def names() -> dict[str, Any]:
    """The names of a deployment with the default prefix."""
    loader = DataLoader()
    variables = loader.load_from_file(str(ROOT / "vars/names.yml"), trusted_as_template=True)
    settings = {"name_prefix": "aurora-restore", "region": "us-east-1", "account_id": "123456789012"}
    rendered: dict[str, Any] = Templar(loader=loader, variables={**variables, **settings}).template(variables["names"])
    return rendered


def test_every_variable_of_the_guide_has_a_row() -> None:
    required = {variable: key for variable, (key, default, _) in rows().items() if default == "required"}
    assert required == GUIDE_REQUIRED
    defaults = {
        variable: (key, default.strip("`")) for variable, (key, default, _) in rows().items() if default != "required"
    }
    assert defaults == {variable: (key, str(default)) for variable, (key, default) in GUIDE_DEFAULTS.items()}


@pytest.mark.parametrize("environment", ["local", "dev", "test", "prod"])
def test_the_defaults_here_are_those_of_the_inventories(environment: str) -> None:
    loaded = DataLoader().load_from_file(str(ROOT / f"inventories/{environment}/group_vars/all.yml"))
    for variable, (key, _, here) in rows().items():
        if variable in GUIDE_DEFAULTS:
            assert here == f"`{loaded[key]}`"
        elif here.startswith("empty"):
            assert not loaded[key]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_names_with_the_default_prefix_are_the_guides(name: str) -> None:
    assert str(names()[name]) == NAMES[name]
    assert f"`{NAMES[name]}`" in PAGE.read_text(encoding="utf-8")


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE.read_text(encoding="utf-8"))
    assert [link for link in links if not (PAGE.parent / link).exists()] == []


def test_roles_settings_that_the_page_quotes_are_the_defaults() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for role, key in (("vpc", "vpc_cidr"), ("lambda", "lambda_runtime")):
        default = DataLoader().load_from_file(str(ROOT / f"roles/{role}/defaults/main.yml"))[key]
        assert f"`{key}: {default}`" in text
    machine = json.loads((ROOT / "state_machine/aurora_restore.asl.json").read_text(encoding="utf-8"))
    assert {"SnapshotCheck", "CopySnapshot", "HandleFailure"} <= machine["States"].keys()

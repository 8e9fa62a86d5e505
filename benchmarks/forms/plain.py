"""The plain form: plain.yml beside this file, whose tasks loop over the lists written here."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.forms import Form, Place
from benchmarks.forms.ours import PLAYBOOK
from benchmarks.stack import GROUPS, KEY, SUBNETS, VPC, Stack, substitute

_PLAYBOOK_FILE = Path(__file__).with_name("plain.yml")
_REFERENCES = {
    KEY: "{{ key_arn }}",
    VPC: "{{ vpc_id }}",
    SUBNETS: "{{ subnet_ids | join(',') }}",
    GROUPS: "{{ groups_made.results[0].group_id }}",
}


class Plain(Form):
    """Stock modules with loops."""

    name = "plain"
    title = "plain: amazon.aws and community.aws tasks with loops"

    def missing(self) -> str | None:
        if importlib.util.find_spec("ansible_collections.amazon.aws"):
            return None
        return "the collections amazon.aws and community.aws are not installed: make venv"

    def prepare(self, place: Place, stack: Stack, edited: Stack) -> None:
        for name, each in (("stack", stack), ("edited", edited)):
            content = json.dumps(variables(each, place.package))
            (place.directory / f"{name}.json").write_text(content, encoding="utf-8")

    def command(self, scenario: str) -> list[str]:
        lists = "edited.json" if scenario == "lambda" else "stack.json"
        arguments = {"check": ["--check", "--diff"], "lambda": ["--tags", "lambda"]}.get(scenario, [])
        return [str(PLAYBOOK), "-i", "localhost,", str(_PLAYBOOK_FILE), *arguments, "-e", f"@{lists}"]

    def environment(self) -> Mapping[str, str]:
        return {"ANSIBLE_PYTHON_INTERPRETER": str(PLAYBOOK.with_name("python"))}


def variables(stack: Stack, package: Path) -> dict[str, Any]:
    """Return what plain.yml needs: a list for each kind, and the ids that its own results give."""
    lists: dict[str, Any] = {
        f"the_{kind}": [{"name": name, **substitute(item, _REFERENCES)} for name, item in items.items()]
        for kind, items in vars(stack).items()
    }
    # The functions' group comes first: the rules of both name the other one, which the module then makes.
    lists["the_groups"] = [
        {**group, **{side: list(_rules(stack.rules[group["name"]][side])) for side in ("ingress", "egress")}}
        for group in sorted(lists["the_groups"], key=lambda group: group["name"].endswith("-endpoints"))
    ]
    lists["the_policies"] = [
        {"role": role["name"], "name": name, "document": document}
        for role in lists["the_roles"]
        for name, document in role["policies"].items()
    ]
    return {
        **lists,
        "package": str(package),
        "benchmark_secret": json.dumps({"username": "benchmark", "password": "not-a-secret"}),
        "key_arn": "{{ keys_made.results[0].key_arn }}",
        "vpc_id": "{{ vpcs_made.results[0].vpc.id }}",
        "subnet_ids": "{{ subnets_made.results | map(attribute='subnet.id') }}",
    }


def _rules(rules: list[dict[str, Any]]) -> Any:
    """The module knows groups and address ranges; it takes prefix lists by id only, which no stock module tells."""
    for rule in rules:
        if not rule["peer"].startswith("com.amazonaws."):
            peer = "cidr_ip" if "/" in rule["peer"] else "group_name"
            ports = {"from_port": rule["from_port"], "to_port": rule["to_port"]}
            yield {"proto": rule["protocol"], **ports, "rule_desc": rule["description"], peer: rule["peer"]} | (
                {"group_desc": rule["peer"]} if peer == "group_name" else {}
            )

"""Every form makes every resource of the one list."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from benchmarks.calls import Call, resources
from benchmarks.forms import cli, plain
from benchmarks.forms.terraform_config import configuration
from benchmarks.stack import GROUPS, KEY, SUBNETS, UNKNOWN, VPC, Stack, substitute
from tests.unit.benchmarks.conftest import RESULTS, announced

PACKAGE = Path("/tmp/package.zip")


def test_the_list_holds_everything_that_was_announced(stack: Stack) -> None:
    assert stack.count == sum(map(len, RESULTS.values())) - len(stack.rules)
    assert set(stack.groups) == set(stack.rules) == {"ar-functions", "ar-endpoints"}
    assert (stack.region, stack.account) == ("eu-west-1", "123456789012")


def test_what_aws_assigns_becomes_a_reference_to_it(stack: Stack) -> None:
    function = stack.functions["ar-verify-restore"]
    assert function["environment"] == {"NAME": "it's", "VPC_ID": VPC, "SUBNET_IDS": SUBNETS, "KMS_KEY_ID": KEY}
    assert (function["subnet_ids"], function["security_group_ids"]) == ([SUBNETS], [GROUPS])
    assert stack.roles["ar-verify-restore-role"]["policies"]["step"]["Statement"][0]["Resource"] == [KEY]
    assert UNKNOWN not in json.dumps(vars(stack))


def test_a_network_resource_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        Stack.from_results({"aurora_restore_network": [announced("ar-new", colour="blue")]})


def test_references_are_replaced_at_any_depth() -> None:
    assert substitute({"a": ["x@key@y", 1]}, {KEY: "K"}) == {"a": ["xKy", 1]}


def test_the_calls_make_every_resource_once_and_refer_only_to_what_was_learnt(stack: Stack) -> None:
    made = resources(stack)
    names = [resource.name for resource in made]
    assert len(names) == len(set(names)) == stack.count - len(stack.delivery_policies)
    known: set[str] = set()
    for stage in range(5):
        here = [resource for resource in made if resource.stage == stage]
        text = json.dumps([call.parameters for resource in here for call in resource.make])
        learnt = {name for resource in here for call in resource.make for name in call.learn}
        wanted = set(re.findall(r'@[a-z_]+:[^@"]+@', text))
        assert wanted <= known
        known |= learnt


def _api_calls(stack: Stack) -> list[Call]:
    return [call for resource in resources(stack) for call in (resource.read, *resource.make)]


def test_every_call_is_one_that_its_api_takes(stack: Stack) -> None:
    for call in _api_calls(stack):
        model = ServiceModel(Loader().load_service_model(call.service, "service-2"))
        wanted = call.operation.replace("_", "")
        operation = next(name for name in model.operation_names if name.lower() == wanted)
        report = ParamValidator().validate(dict(call.parameters), model.operation_model(operation).input_shape)
        assert not report.has_errors(), f"{operation}: {report.generate_report()}"


def test_the_script_is_one_that_bash_reads_and_names_every_resource(stack: Stack) -> None:
    text = cli.script(resources(stack), PACKAGE)
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    for resource in resources(stack):
        assert f"# {resource.name}\n" in text
    assert text.count("fileb:///tmp/package.zip") == len(stack.functions)


def test_the_script_puts_in_what_it_learnt(stack: Stack, tmp_path: Path) -> None:
    aws = tmp_path / "aws"
    aws.write_text('#!/bin/bash\n[[ $2 == describe-* || $2 == get-* ]] && exit 1\necho "$@" >> calls\necho id-of-$2\n')
    aws.chmod(0o755)
    text = cli.script(resources(stack), PACKAGE)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run(["bash"], input=text, text=True, check=True, cwd=tmp_path, env=environment, capture_output=True)
    called = (tmp_path / "calls").read_text()
    assert "@key@" not in called
    assert "@subnet:" not in called
    assert '"KMS_KEY_ID": "id-of-create-key"' in called
    assert "it's" in called


def test_terraform_makes_every_resource(stack: Stack) -> None:
    config = configuration(stack, str(PACKAGE))
    text = json.dumps(config)
    assert not [name for name in (KEY, VPC, SUBNETS, GROUPS) if name in text]
    blocks: list[dict[str, Any]] = [block for kind in config["resource"].values() for block in kind.values()]
    each = {name for block in blocks for name in block.get("for_each", {})}
    for kind in ("subnets", "groups", "endpoints", "roles", "log_groups", "functions", "alarms"):
        assert set(getattr(stack, kind)) <= each


def test_terraform_takes_the_placeholders_of_a_definition_for_text(stack: Stack) -> None:
    (machine,) = stack.machines.values()
    machine["definition"]["Comment"] = "${Placeholder} is a number"
    (block,) = configuration(stack, str(PACKAGE))["resource"]["aws_sfn_state_machine"].values()
    assert "$${Placeholder}" in block["definition"]


def test_the_plain_playbook_loops_over_lists_that_are_given_to_it(stack: Stack) -> None:
    given = plain.variables(stack, PACKAGE)
    play = yaml.safe_load((Path(plain.__file__).with_name("plain.yml")).read_text("utf-8"))[0]
    for task in play["tasks"]:
        assert given[task["loop"].strip("{} ")], task["name"]


def test_the_plain_rules_leave_out_prefix_lists_only(stack: Stack) -> None:
    groups = {group["name"]: group for group in plain.variables(stack, PACKAGE)["the_groups"]}
    assert [rule["group_name"] for rule in groups["ar-functions"]["egress"]] == ["ar-endpoints"]
    assert groups["ar-endpoints"]["egress"] == []

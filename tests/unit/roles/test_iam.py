"""The statements of roles/iam, rendered as a deployment would render them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

ROOT = Path(__file__).resolve().parents[3]
PREFIX, ACCOUNT, SOURCE_ACCOUNT = "aurora-restore", "123456789012", "999999999999"
# Permissions that no API operation is called like.
PERMISSIONS_ONLY = {"iam:PassRole", "lambda:InvokeFunction", "logs:GetLogDelivery", "logs:ListLogDeliveries"} | {
    f"logs:{verb}LogDelivery" for verb in ("Create", "Delete", "Update")
}
PERMISSIONS_ONLY |= {"kms:ReEncryptFrom", "kms:ReEncryptTo"}
CHANGES_DATA = ("rds:Delete", "rds:ModifyDBCluster")
# Service Authorization Reference, "Actions, resources, and condition keys for Amazon RDS": the types marked
# as required.
REQUIRED_TYPES = {
    "rds:CopyDBClusterSnapshot": {"cluster-snapshot"},
    "rds:CreateDBClusterSnapshot": {"cluster", "cluster-snapshot"},
    "rds:CreateDBInstance": {"db"},
    "rds:DeleteDBCluster": {"cluster", "cluster-snapshot"},
    "rds:DeleteDBClusterSnapshot": {"cluster-snapshot"},
    "rds:DeleteDBInstance": {"db"},
    "rds:ModifyDBCluster": {"cluster"},
    "rds:ModifyDBInstance": {"db"},
    "rds:RestoreDBClusterFromSnapshot": {"cluster", "cluster-pg", "og", "subgrp"},
    "rds:RestoreDBClusterToPointInTime": {"cluster", "cluster-pg", "og", "subgrp"},
}


@cache
def roles(strategy: str = "replace") -> dict[str, dict[str, Any]]:
    """Every role by its name, for a deployment with one declared target."""
    loader = DataLoader()
    variables: dict[str, Any] = {"region": "us-east-1", "account_id": ACCOUNT, "name_prefix": PREFIX, "kms_key_id": ""}
    variables["source_accounts"] = [SOURCE_ACCOUNT]
    variables["restore_targets"] = {"orders": {"strategy": strategy}}
    files = [
        "vars/names.yml",
        "roles/iam/defaults/main.yml",
        *(f"roles/iam/vars/main/{n}.yml" for n in ("roles", "steps")),
    ]
    for file in files:
        variables |= loader.load_from_file(str(ROOT / file), trusted_as_template=True)
    templar = Templar(loader=loader, variables=variables)
    rendered = [*templar.template(variables["iam_function_roles"])]
    rendered += [templar.template(variables["iam_step_functions_role"])]
    return {role["name"]: role for role in json.loads(json.dumps(rendered))}


@cache
def operations(service: str) -> list[str]:
    """The names of a service's API operations, which are those of its permissions with few exceptions."""
    name = {"states": "stepfunctions"}.get(service, service)
    return list(botocore.session.get_session().get_service_model(name).operation_names)


def statements(role: str, strategy: str = "replace") -> list[dict[str, Any]]:
    return [item for policy in roles(strategy)[role]["policies"].values() for item in policy["Statement"]]


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_every_function_and_the_state_machine_have_a_role() -> None:
    names = DataLoader().load_from_file(str(ROOT / "vars/names.yml"))
    expected = {f"{PREFIX}-{step}-role" for step in names["pipeline_functions"]}
    assert set(roles()) == expected | {f"{PREFIX}-step-functions-role"}


@pytest.mark.parametrize("name", sorted(roles()))
def test_a_role_fits_into_the_quota_of_inline_policies(name: str) -> None:
    size = sum(len(json.dumps(policy, separators=(",", ":"))) for policy in roles()[name]["policies"].values())
    assert size < 10_240  # IAM quotas: aggregate size of a role's inline policies, white space not counted


@pytest.mark.parametrize("name", sorted(roles()))
def test_a_role_is_assumed_only_for_this_account(name: str) -> None:
    for statement in roles()[name]["trust_policy"]["Statement"]:
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


@pytest.mark.parametrize("name", sorted(roles()))
def test_every_action_exists_and_none_is_a_wildcard(name: str) -> None:
    for statement in statements(name):
        for action in listed(statement["Action"]):
            service, operation = action.split(":")
            assert action in PERMISSIONS_ONLY or operation in operations(service), action


@pytest.mark.parametrize("name", sorted(roles()))
def test_every_condition_has_an_operator_that_iam_knows(name: str) -> None:
    """A bare `Null` is no text in YAML: it would become an operator that is called null."""
    known = {"ArnEquals", "ArnLike", "Bool", "ForAnyValue:StringEquals", "Null", "StringEquals", "StringLike"}
    assert {operator for statement in statements(name) for operator in statement.get("Condition", {})} <= known


@pytest.mark.parametrize("name", sorted(roles()))
def test_statement_ids_are_unique(name: str) -> None:
    ids = [statement["Sid"] for statement in statements(name)]
    assert len(ids) == len(set(ids))
    assert all(sid.isalnum() for sid in ids)


@pytest.mark.parametrize("name", sorted(roles()))
def test_what_changes_or_deletes_data_depends_on_a_tag(name: str) -> None:
    for statement in statements(name):
        # These need the cluster's statement beside them to delete anything.
        if statement["Sid"] in ("NameNoFinalSnapshot", "NameTheFinalSnapshot"):
            assert statement["Action"] == "rds:DeleteDBCluster"
            assert statement["Resource"].endswith(":cluster-snapshot:*")
        elif any(action.startswith(CHANGES_DATA) for action in listed(statement["Action"])):
            keys = {key for test in statement["Condition"].values() for key in test}
            assert keys
            tags = ("expires-at", "operation", "replaced-by", "target")
            assert keys <= {f"aws:ResourceTag/{PREFIX}:{tag}" for tag in tags}


@pytest.mark.parametrize("name", sorted(roles()))
def test_an_action_is_allowed_on_every_type_of_resource_that_it_is_authorized_on(name: str) -> None:
    allowed: dict[str, set[str]] = {}
    unconditional: dict[str, set[str]] = {}
    for statement in statements(name):
        for action in set(listed(statement["Action"])) & REQUIRED_TYPES.keys():
            kinds = {resource.split(":")[5] for resource in listed(statement["Resource"])}
            allowed.setdefault(action, set()).update(kinds)
            if "Condition" not in statement:
                unconditional.setdefault(action, set()).update(kinds)
    assert {
        action: REQUIRED_TYPES[action] - kinds for action, kinds in allowed.items() if REQUIRED_TYPES[action] - kinds
    } == {}
    # No final snapshot exists to carry a tag.
    assert "rds:DeleteDBCluster" not in allowed or unconditional["rds:DeleteDBCluster"] == {"cluster-snapshot"}


def test_only_cleaning_steps_may_delete() -> None:
    deleting = {
        name
        for name in roles()
        for statement in statements(name)
        if any(action.startswith("rds:Delete") for action in listed(statement["Action"]))
    }
    steps = ("archive-snapshot", "handle-failure", "remove-target", "sweep")
    assert deleting == {f"{PREFIX}-{step}-role" for step in steps}


def test_a_target_may_be_removed_or_made_again_only_where_one_is_declared_to_be_replaced() -> None:
    removing = ("rds:DeleteDBCluster", "rds:CreateDBClusterSnapshot")
    for step, actions in (("remove-target", removing), ("handle-failure", ("rds:RestoreDBClusterFromSnapshot",))):
        for strategy in ("swap", "replace"):
            role = statements(f"{PREFIX}-{step}-role", strategy)
            granted = {action for statement in role for action in listed(statement["Action"])}
            assert (set(actions) <= granted) == (strategy == "replace")


def test_nobody_may_delete_a_final_snapshot_that_was_handed_over() -> None:
    """It no longer carries the operation's tag, which every right to delete snapshots depends on."""
    for name in roles():
        for statement in statements(name):
            if "rds:DeleteDBClusterSnapshot" in listed(statement["Action"]):
                assert statement["Condition"] == {"Null": {f"aws:ResourceTag/{PREFIX}:operation": "false"}}


def test_the_sweep_deletes_clusters_only_once_they_have_an_expiry() -> None:
    for statement in statements(f"{PREFIX}-sweep-role"):
        on_clusters = any(resource.endswith(":cluster:*") for resource in listed(statement["Resource"]))
        if "rds:DeleteDBCluster" in listed(statement["Action"]) and on_clusters:
            assert statement["Condition"] == {"Null": {f"aws:ResourceTag/{PREFIX}:expires-at": "false"}}


def test_the_sweep_starts_clean_ups_by_the_state_machines_own_arn() -> None:
    """Step Functions authorizes what names an alias on the state machine: a policy on the alias allows nothing."""
    starting = [s for s in statements(f"{PREFIX}-sweep-role") if "states:StartExecution" in listed(s["Action"])]
    assert [s["Resource"] for s in starting] == [
        f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:{PREFIX}-state-machine"
    ]


def test_the_sweep_may_tag_the_final_snapshots_that_it_may_make() -> None:
    """DeleteDBCluster gives the last snapshot the cluster's tags where the cluster says CopyTagsToSnapshot."""
    on_snapshots = {
        action: set(listed(statement["Resource"]))
        for statement in statements(f"{PREFIX}-sweep-role")
        for action in listed(statement["Action"])
        if ":cluster-snapshot:" in listed(statement["Resource"])[0]
    }
    assert on_snapshots["rds:AddTagsToResource"] == on_snapshots["rds:CreateDBClusterSnapshot"]


def test_another_account_is_only_ever_read_from_and_only_where_the_inventory_names_it() -> None:
    """Its snapshots may be copied and restored, its keys used for that; nothing of it may be tagged or deleted."""
    foreign = {
        (action, resource)
        for name in roles()
        for statement in statements(name)
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if resource.startswith("arn:") and (resource.split(":")[4] not in ("", ACCOUNT))
    }
    assert {resource for _, resource in foreign} == {
        f"arn:aws:kms:*:{SOURCE_ACCOUNT}:key/*",
        f"arn:aws:rds:*:{SOURCE_ACCOUNT}:cluster-snapshot:*",
    }
    assert {action for action, _ in foreign if not action.startswith("kms:")} == {
        "rds:CopyDBClusterSnapshot",
        "rds:RestoreDBClusterFromSnapshot",
    }


def test_the_audit_trail_can_only_grow() -> None:
    for name in roles():
        for statement in statements(name):
            if any("table/aurora-restore-audit" in resource for resource in listed(statement["Resource"])):
                assert listed(statement["Action"]) in (["dynamodb:PutItem"], ["dynamodb:Query"])


def test_everything_is_everywhere_only_for_what_knows_no_narrower_resource() -> None:
    wide = {
        statement["Sid"]
        for name in roles()
        for statement in statements(name)
        if "*" in listed(statement["Resource"]) and statement["Effect"] == "Allow"
    }
    assert wide == {"NetworkInterfaces", "Traces", "RdsRead", "LogDelivery", "RdsOffers"}


def test_the_state_machine_may_call_every_function_through_its_alias_only() -> None:
    allowed = next(s for s in statements(f"{PREFIX}-step-functions-role") if s["Sid"] == "Steps")["Resource"]
    assert len(allowed) == len(roles()) - 2  # its own, and that of the sweep, which EventBridge calls
    assert all(arn.endswith(":live") for arn in allowed)

"""The roles as the deployment makes them may do all that a plan needs; what one lacks is named."""

from __future__ import annotations

from typing import Any

from aurora_deploy.runbook.permissions import findings, needs

from .fakes import refused

PLAN: dict[str, Any] = {
    "operation_id": "op-123456",
    "target": {"arn": "arn:aws:rds:us-east-1:123456789012:cluster:orders-staging"},
    "source": {"kms_key_id": None},
    "restore": {"cluster_id": "orders-staging-op-123456", "snapshot_id": "nightly", "kms_key_id": None},
    "instances": [{"id": "orders-staging-op-123456-1", "performance_insights_kms_key_id": None}],
    "copy": {"hops": [{"snapshot_id": "orders-staging-copy-op-123456", "kms_key_arn": None}]},
    "replace": {"needed": False},
    "swap": {"needed": True},
}


class Iam:
    """Allows everything but `denied` actions; refuses to answer with `code`."""

    def __init__(self, denied: str = "", code: str = "") -> None:
        self.denied, self.code = denied, code
        self.asked: list[dict[str, Any]] = []

    def client(self, _service: str) -> Iam:
        return self

    def simulate_principal_policy(self, **question: Any) -> dict[str, Any]:
        if self.code:
            raise refused("SimulatePrincipalPolicy", self.code)
        self.asked.append(question)
        return {
            "EvaluationResults": [
                {
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": "implicitDeny" if action == self.denied else "allowed",
                }
                for action in question["ActionNames"]
                for resource in question["ResourceArns"]
            ]
        }


def test_every_step_that_changes_something_is_asked_about_with_its_tags() -> None:
    iam = Iam()
    told, denied = findings(iam, "aurora-restore", PLAN)  # type: ignore[arg-type]
    assert denied == []
    assert told == ["permissions: 13 simulated; what the keys' policies say is told under key policies"]
    roles = {question["PolicySourceArn"].rpartition("/")[2] for question in iam.asked}
    makes, changes = ("copy-snapshot", "restore-snapshot", "create-instances"), ("reset-credentials", "swap-clusters")
    assert roles == {f"aurora-restore-{step}-role" for step in (*makes, *changes, "handle-failure")}
    keys = {entry["ContextKeyName"] for question in iam.asked for entry in question["ContextEntries"]}
    assert {"aws:RequestTag/aurora-restore:operation", "aws:ResourceTag/aurora-restore:target"} <= keys


def test_settings_that_no_restore_takes_are_asked_about_where_they_are_wanted() -> None:
    iam = Iam()
    wanted = {"http_endpoint": True, "database_insights": "advanced", "local_write_forwarding": False}
    findings(iam, "aurora-restore", {**PLAN, "restore": {**PLAN["restore"], **wanted}})  # type: ignore[arg-type]
    role = "arn:aws:iam::123456789012:role/aurora-restore-check-instances-role"
    asked = [question["ActionNames"] for question in iam.asked if question["PolicySourceArn"] == role]
    assert asked == [["rds:ModifyDBCluster"], ["rds:EnableHttpEndpoint"]]


def test_what_a_role_lacks_is_named() -> None:
    _, denied = findings(Iam(denied="rds:CreateDBInstance"), "aurora-restore", PLAN)  # type: ignore[arg-type]
    role = "arn:aws:iam::123456789012:role/aurora-restore-create-instances-role"
    instance = "arn:aws:rds:us-east-1:123456789012:db:orders-staging-op-123456-1"
    assert denied == [f"{role} may not rds:CreateDBInstance on {instance} (implicitDeny)"]


def test_a_caller_that_may_not_ask_is_told_and_nothing_is_refused() -> None:
    told, denied = findings(Iam(code="AccessDenied"), "aurora-restore", PLAN)  # type: ignore[arg-type]
    assert denied == []
    assert "may not call iam:SimulatePrincipalPolicy" in told[0]


def test_a_plan_without_copy_and_swap_needs_neither() -> None:
    plain = {**PLAN, "copy": {"hops": []}, "swap": {"needed": False}}
    assert not {need.step for need in needs("aurora-restore", plain)} & {"copy-snapshot", "swap-clusters"}


def test_a_plan_that_removes_the_target_needs_the_way_back_too() -> None:
    target = {**PLAN["target"], "cluster": "orders-staging", "instances": [{"id": "orders-staging-1"}]}
    replace = {"needed": True, "final_snapshot": "orders-staging-final-op-123456", "kms_key_id": None}
    wanted = list(needs("aurora-restore", {**PLAN, "target": target, "replace": replace}))
    arn = PLAN["target"]["arn"]
    removing = [need for need in wanted if need.step == "remove-target" and need.resources == (arn,)]
    assert "rds:DeleteDBCluster" in removing[0].actions
    assert removing[0].tags == {"aurora-restore:target": "true"}
    back = [need for need in wanted if need.step == "handle-failure" and need.resources == (arn,)]
    assert back[0].actions == ("rds:RestoreDBClusterFromSnapshot", "rds:AddTagsToResource")
    assert back[0].tags == {"aurora-restore:target": "true", "aurora-restore:restored-by": "op-123456"}


def test_the_keys_are_asked_about_as_rds_uses_them_for_the_roles() -> None:
    far, near = (f"arn:aws:kms:{region}:123456789012:key/team" for region in ("eu-west-1", "us-east-1"))
    hop = {"snapshot_id": "orders-staging-copy-op-123456", "kms_key_arn": near}
    restore = {**PLAN["restore"], "kms_key_id": near}
    encrypted = {**PLAN, "source": {"kms_key_id": far}, "copy": {"hops": [hop]}, "restore": restore}
    iam = Iam(denied="kms:CreateGrant")
    _, denied = findings(iam, "aurora-restore", encrypted)  # type: ignore[arg-type]
    role = "arn:aws:iam::123456789012:role/aurora-restore-{}-role may not kms:CreateGrant on {} (implicitDeny)"
    assert denied == [
        role.format("copy-snapshot", far),
        *(role.format(step, near) for step in ("copy-snapshot", "restore-snapshot", "create-instances")),
    ]
    asked = next(question for question in iam.asked if question["ActionNames"] == ["kms:CreateGrant"])
    assert [(entry["ContextKeyName"], entry["ContextKeyValues"]) for entry in asked["ContextEntries"]] == [
        ("kms:ViaService", ["rds.eu-west-1.amazonaws.com"]),
        ("kms:GrantIsForAWSResource", ["true"]),
    ]


def test_a_key_that_is_known_by_its_alias_only_is_not_asked_about() -> None:
    alias = {**PLAN["restore"], "kms_key_id": "arn:aws:kms:us-east-1:123456789012:alias/aws/rds"}
    actions = [need.actions for need in needs("aurora-restore", {**PLAN, "restore": alias})]
    assert not [action for each in actions for action in each if action.startswith("kms:")]

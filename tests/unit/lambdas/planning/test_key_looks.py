"""Whether the keys of a plan can be used, and by the roles that will: refused is only what cannot work."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.lambdas.fake_rds import ACCOUNT
from tests.unit.lambdas.machine import Execution
from tests.unit.lambdas.pipeline import REQUEST, Pipeline

KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/team"
PROD = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/prod"
DRY = {**REQUEST, "dry_run": True, "target": {"cluster": "orders-staging", "kms_key": KEY}}
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
OWNER = "210987654321"
USERS = ("copy-snapshot", "restore-snapshot", "create-instances")


@pytest.fixture
def pipeline() -> Pipeline:
    """A snapshot under the source's key, to be copied under the team's."""
    made = Pipeline()
    made.seed()
    made.rds.snapshots["prod-nightly"].update(StorageEncrypted=True, KmsKeyId=PROD)
    return made


def role(step: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/aurora-restore-{step}-role"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Principal": ROOT, "Resource": "*", **given} for given in statements]}


def found(ended: Execution, name: str = "key policies") -> tuple[str, str]:
    assert ended.status == "SUCCEEDED", ended.cause
    return next((each["result"], each["detail"]) for each in ended.output["plan"]["preflight"] if each["name"] == name)


def refused(pipeline: Pipeline) -> tuple[str, str]:
    ended = pipeline.run(DRY)
    assert (ended.status, pipeline.rds.changes) == ("FAILED", [])
    return ended.error, ended.cause


ADMINISTRATION = {"Action": ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"]}


def test_policies_that_leave_access_to_iam_pass_for_every_role_that_uses_the_key(pipeline: Pipeline) -> None:
    result, detail = found(pipeline.run(DRY))
    assert result == "passed"
    assert detail == f"{PROD} is open to copy-snapshot; {KEY} is open to {', '.join(USERS)}"


def test_a_policy_without_the_right_is_refused_with_the_statement_to_add(pipeline: Pipeline) -> None:
    pipeline.keys.policies[KEY] = policy(ADMINISTRATION)
    error, cause = refused(pipeline)
    assert error == "KmsKeyUnavailable"
    assert f"kms:CreateGrant on {KEY} is not allowed to {role('copy-snapshot')}" in cause
    assert f'Add to the policy of {KEY}: {{"Sid": "AuroraRestore", "Effect": "Allow"' in cause
    assert role("create-instances") in cause


def test_a_policy_that_lets_only_one_of_the_roles_in_names_the_other(pipeline: Pipeline) -> None:
    copying = {"Action": "kms:*", "Principal": {"AWS": role("copy-snapshot")}}
    pipeline.keys.policies[KEY] = policy(ADMINISTRATION, copying)
    assert f"is not allowed to {role('restore-snapshot')}" in refused(pipeline)[1]


def test_a_policy_that_denies_names_its_statement(pipeline: Pipeline) -> None:
    pipeline.keys.policies[KEY] = policy({"Action": "*"}, {"Effect": "Deny", "Action": "kms:Create*", "Sid": "Frozen"})
    cause = refused(pipeline)[1]
    assert "is denied by its statement Frozen" in cause
    assert "from what statement Frozen denies" in cause


def test_a_grant_stands_in_for_the_policy_but_not_against_a_deny(pipeline: Pipeline) -> None:
    pipeline.keys.policies[KEY] = policy(ADMINISTRATION)
    pipeline.keys.grants = {(KEY, role(step)): ["Decrypt", "CreateGrant"] for step in USERS}
    assert found(pipeline.run(DRY))[0] == "passed"
    pipeline.keys.policies[KEY] = policy({"Action": "*"}, {"Effect": "Deny", "Action": "kms:CreateGrant"})
    assert refused(pipeline)[0] == "KmsKeyUnavailable"


def test_where_grants_may_not_be_listed_one_may_exist(pipeline: Pipeline) -> None:
    pipeline.keys.policies[KEY] = policy(ADMINISTRATION)
    pipeline.keys.grants = None
    result, detail = found(pipeline.run(DRY))
    assert result == "warning"
    assert f"If RDS is refused: Add to the policy of {KEY}" in detail


def test_a_condition_that_only_the_call_decides_is_a_warning(pipeline: Pipeline) -> None:
    pipeline.keys.policies[KEY] = policy({"Action": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}})
    result, detail = found(pipeline.run(DRY))
    assert (result, f"on {KEY} is uncertain to" in detail) == ("warning", True)


def test_a_key_that_is_only_read_with_is_a_warning_because_rds_holds_grants_of_its_own(pipeline: Pipeline) -> None:
    pipeline.keys.policies[PROD] = policy(ADMINISTRATION)
    result, detail = found(pipeline.run(DRY))
    assert (result, detail.startswith(f"kms:CreateGrant on {PROD} is not allowed")) == ("warning", True)


def test_what_cannot_be_read_is_skipped_with_the_statement_it_may_need(pipeline: Pipeline) -> None:
    pipeline.keys.policies[KEY] = "AccessDeniedException"
    result, detail = found(pipeline.run(DRY))
    assert (result, f"Add to the policy of {KEY}" in detail) == ("skipped", True)


def test_keys_of_aws_itself_need_nothing(pipeline: Pipeline) -> None:
    own = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/rds"
    target = {"cluster": "orders-staging", "kms_key": own}
    result, detail = found(pipeline.run({**DRY, "target": target, "credentials": {"master": "managed"}}))
    assert result == "passed"
    assert "AWS's own" in detail
    assert "Secrets Manager's own key" in detail


def test_a_key_of_another_account_says_what_its_owner_must_allow(pipeline: Pipeline) -> None:
    key = f"arn:aws:kms:us-east-1:{OWNER}:key/theirs"
    pipeline.rds.share_snapshot("theirs", "orders-prod", OWNER, StorageEncrypted=True, KmsKeyId=key)
    pipeline.keys.states[key] = "AccessDenied"
    source = {"type": "latest_snapshot", "cluster": "orders-prod", "account": OWNER}
    ended = pipeline.run({**DRY, "source": source})
    result, detail = found(ended)
    assert (result, f"the policy of {key} is told in account {OWNER} only" in detail) == ("skipped", True)
    assert f'"Principal": {{"AWS": "arn:aws:iam::{ACCOUNT}:root"}}' in detail
    assert found(ended, "keys")[0] == "skipped"


def test_a_source_key_that_is_being_deleted_is_told_beforehand(pipeline: Pipeline) -> None:
    pipeline.keys.states[PROD] = "PendingDeletion"
    assert f"{PROD} is PendingDeletion" in refused(pipeline)[1]


def test_one_key_that_may_not_be_looked_at_does_not_hide_the_state_of_another(pipeline: Pipeline) -> None:
    pipeline.keys.states |= {PROD: "AccessDenied", KEY: "Disabled"}
    assert f"{KEY} is Disabled" in refused(pipeline)[1]

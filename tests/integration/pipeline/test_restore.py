"""Whole restores by the runbook: the rows afterwards, and after each kind of failure the rows as before."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from pg8000.dbapi import DatabaseError

from demo.databases import Login
from tests.integration.pipeline.conftest import PREFIX, Played, Shop, wait_until

RESTORE = "playbooks/restore.yml"


def restore(shop: Shop, operation: str, **variables: Any) -> Played:
    return shop.aws.play(RESTORE, target="orders-staging", operation=operation, **variables)


@contextmanager
def tags_changed(
    shop: Shop, cluster: str, *, add: Mapping[str, str] | None = None, remove: Sequence[str] = ()
) -> Iterator[None]:
    """Change a cluster's tags, and put them back."""
    rds = shop.aws.client("rds")
    found = rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]
    arn, before = found["DBClusterArn"], found["TagList"]
    if remove:
        rds.remove_tags_from_resource(ResourceName=arn, TagKeys=list(remove))
    if add:
        rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": key, "Value": add[key]} for key in add])
    try:
        yield
    finally:
        if add:
            rds.remove_tags_from_resource(ResourceName=arn, TagKeys=list(add))
        if before:
            rds.add_tags_to_resource(ResourceName=arn, Tags=before)


def test_bad_input_lists_every_mistake_before_anything_runs(shop: Shop) -> None:
    played = restore(
        shop, "bad-input", request={"strategy": "sideways", "source": {"type": "guess"}, "instances": {"count": 0}}
    )
    assert played.code != 0
    for path in ("strategy", "source.type", "instances.count"):
        assert path in played.output
    with pytest.raises(shop.aws.client("stepfunctions").exceptions.ExecutionDoesNotExist):
        shop.execution("bad-input")


def test_an_unknown_target_lists_the_known_ones(shop: Shop) -> None:
    played = shop.aws.play(RESTORE, target="orders-stagin")
    assert played.code != 0
    assert "orders-staging" in played.output


def test_check_mode_starts_nothing(shop: Shop) -> None:
    played = shop.aws.play(RESTORE, "--check", target="orders-staging", operation="check-mode")
    assert played.code == 0, played.output
    with pytest.raises(shop.aws.client("stepfunctions").exceptions.ExecutionDoesNotExist):
        shop.execution("check-mode")


def test_a_dry_run_ends_with_the_plan_and_changes_nothing(shop: Shop) -> None:
    before = shop.clusters()
    played = restore(shop, "dry-run", dry_run=True)
    assert played.code == 0, played.output
    assert shop.execution("dry-run")["status"] == "SUCCEEDED"
    looks = ("permissions: ", "keys: ", "key policies: ", "quotas: DBClusters: 2 of 40 used, 1 needed", "subnets: ")
    for told in (*looks, " USD an hour"):
        assert told in played.output
    assert "  skipped " not in played.output.partition("PLAY RECAP")[0]
    assert shop.clusters() == before
    assert shop.lock_owner("orders-staging") == ""


class TestFailures:
    """Each ends FAILED with its typed error, leaves no orphan, and the target's rows readable as before."""

    @pytest.fixture(autouse=True)
    def as_before(self, shop: Shop) -> Any:
        rows, clusters, instances = shop.rows("orders-staging"), shop.clusters(), shop.instances()
        source = shop.rows("orders-prod")
        yield
        assert shop.rows("orders-staging") == rows
        assert shop.rows("orders-prod") == source
        assert shop.clusters() == clusters
        assert shop.instances() == instances

    def fails(self, shop: Shop, operation: str, error: str, code: str, **variables: Any) -> str:
        return self.ended(shop, restore(shop, operation, **variables), operation, error, code)

    def ended(self, shop: Shop, played: Played, operation: str, error: str, code: str) -> str:
        assert played.code == 2
        execution = shop.execution(operation)
        assert (execution["status"], execution["error"]) == ("FAILED", error)
        assert code in execution["cause"]
        assert code in played.output
        assert (shop.audit(operation)[-1][0], shop.audit(operation)[-1][1]) == ("HandleFailure", "SUCCEEDED")
        return played.output

    def test_a_dry_run_tells_that_a_keys_policy_lets_no_role_in(self, shop: Shop) -> None:
        """Who administers the key may look at it; nobody may use it."""
        actions = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"]
        principal = {"AWS": "arn:aws:iam::000000000000:root"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}
        kms, rds = shop.aws.client("kms"), shop.aws.client("rds")
        snapshots = rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
        key = kms.create_key(Policy=json.dumps({"Statement": [statement]}))["KeyMetadata"]["Arn"]
        request = {"target": {"kms_key": key}}
        told = self.fails(shop, "key-policy", "KmsKeyUnavailable", "AR306", request=request, dry_run=True)
        assert f"kms:CreateGrant on {key} is not allowed" in told
        assert rds.describe_db_cluster_snapshots()["DBClusterSnapshots"] == snapshots
        assert shop.lock_owner("orders-staging") == ""
        fix = shop.execution("key-policy")["cause"].partition(f"Add to the policy of {key}: ")[2]
        proposed, _ = json.JSONDecoder().raw_decode(fix)
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({"Statement": [statement, proposed]}))
        mended = restore(shop, "key-policy-mended", request=request, dry_run=True)
        assert mended.code == 0, mended.output
        assert f"{key} is open to copy-snapshot, restore-snapshot, create-instances" in mended.output
        proposed["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": "o-shop"}}
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({"Statement": [statement, proposed]}))
        doubtful = restore(shop, "key-policy-doubtful", request=request, dry_run=True)
        assert doubtful.code == 0, doubtful.output
        assert f"kms:CreateGrant on {key} is uncertain by its statement AuroraRestore" in doubtful.output

    def test_a_missing_snapshot(self, shop: Shop) -> None:
        self.fails(shop, "no-snapshot", "SnapshotNotFound", "AR108", source_snapshot="nosuch")

    def test_a_target_without_the_opt_in_tag(self, shop: Shop) -> None:
        with tags_changed(shop, "orders-staging", remove=[f"{PREFIX}:target"]):
            self.fails(shop, "no-tag", "TargetNotAllowed", "AR104")

    def test_the_source_as_target(self, shop: Shop) -> None:
        with tags_changed(shop, "orders-prod", add={f"{PREFIX}:target": "true"}):
            self.fails(shop, "self-target", "SourceIsTarget", "AR106", request={"target": {"cluster": "orders-prod"}})

    def test_a_lock_that_another_operation_holds(self, shop: Shop) -> None:
        dynamodb = shop.aws.client("dynamodb")
        key = {"operation_id": {"S": "lock#us-east-1#orders-staging"}}
        lease = str(int(time.time()) + 3600)
        held = {"M": {"owner": {"S": "somebody-else"}, "token": {"N": "1"}, "lease_until": {"N": lease}}}
        dynamodb.put_item(TableName=f"{PREFIX}-state", Item={**key, "state": held})
        try:
            output = self.fails(shop, "lock-held", "LockHeld", "AR201")
            assert "somebody-else" in output
            assert shop.lock_owner("orders-staging") == "somebody-else"
        finally:
            dynamodb.delete_item(TableName=f"{PREFIX}-state", Key=key)

    def test_a_database_that_cannot_be_reached(self, shop: Shop) -> None:
        new = "orders-staging-unreachable"
        started = restore(shop, "unreachable", follow=False)
        assert started.code == 0, started.output
        wait_until(lambda: new in shop.clusters(), "the new cluster")
        shop.aws.emulator.request("POST", f"/_aurora/clusters/{new}/refuse_connections", {"refuse": True})
        self.ended(shop, shop.aws.play(RESTORE, operation="unreachable"), "unreachable", "DatabaseUnreachable", "AR403")

    def test_a_verification_that_does_not_hold(self, shop: Shop) -> None:
        checks = {"database": "shop", "tables": [{"name": "shop.orders", "min_rows": 10_000_000}]}
        output = self.fails(shop, "too-few", "VerificationFailed", "AR405", request={"verify": checks})
        assert "shop.orders" in output
        state = shop.item("too-few")
        assert state is not None and state["status"]["S"] == "FAILED"

    def test_personal_data_that_masking_leaves(self, shop: Shop) -> None:
        masking = {"set": "orders-staging", "detectors": {"kinds": ["email"], "allow": []}}
        with shop.databases.connect("orders-prod", shop.source, "shop") as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE TABLE shop.notes AS SELECT 'call ' || email AS note FROM shop.customers LIMIT 7")
            connection.commit()
            shop.snapshot("orders-prod-notes", "orders-prod")
            cursor.execute("DROP TABLE shop.notes")
            connection.commit()
        try:
            output = self.fails(
                shop,
                "left-over",
                "MaskingIncomplete",
                "AR408",
                request={"masking": masking},
                source_snapshot="orders-prod-notes",
            )
        finally:
            shop.aws.client("rds").delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="orders-prod-notes")
        assert "shop.notes.note: 7 of 7 rows look like e-mail addresses" in output
        assert "@example.com" not in output

    def test_an_aws_error_in_mid_run(self, shop: Shop) -> None:
        fault = {"service": "rds", "action": "CreateDBInstance", "error_code": "InstanceQuotaExceeded", "status": 400}
        shop.aws.emulator.request("POST", "/_emulator/faults", {**fault, "count": 1})
        self.fails(shop, "no-quota", "QuotaExceeded", "AR304")


class TestSuccess:
    """One restore, looked at from every side."""

    @pytest.fixture(scope="class")
    @classmethod
    def operation(cls, shop: Shop) -> str:
        cls.before = {name: shop.rows(name) for name in ("orders-prod", "orders-staging")}
        played = restore(shop, "whole-one")
        assert played.code == 0, played.output
        cls.output = played.output
        return "whole-one"

    before: dict[str, Any]
    output: str

    def test_the_target_holds_the_sources_rows(self, shop: Shop, operation: str) -> None:
        assert shop.rows("orders-staging") == self.before["orders-prod"]

    def test_the_customers_contact_data_is_masked(self, shop: Shop, operation: str) -> None:
        count = {name: shop.rows(name)["shop.customers"][0] for name in ("orders-prod", "orders-staging")}
        found = {name: shop.databases.contacts(name, shop.login(name), "shop") for name in count}
        assert found == {"orders-prod": (count["orders-prod"], 0), "orders-staging": (count["orders-staging"],) * 2}

    def test_the_old_cluster_stands_beside_it_with_the_old_rows(self, shop: Shop, operation: str) -> None:
        assert shop.clusters() == dict.fromkeys(
            ["orders-prod", "orders-staging", f"orders-staging-old-{operation}"], "available"
        )
        assert shop.rows(f"orders-staging-old-{operation}") == self.before["orders-staging"]
        assert shop.instances() == {"orders-prod-1", "orders-staging-1", f"orders-staging-old-{operation}-1"}

    def test_the_source_is_untouched(self, shop: Shop, operation: str) -> None:
        assert shop.rows("orders-prod") == self.before["orders-prod"]
        snapshots = shop.aws.client("rds").describe_db_cluster_snapshots()["DBClusterSnapshots"]
        assert [item["DBClusterSnapshotIdentifier"] for item in snapshots] == ["orders-prod-nightly"]

    def test_the_master_password_is_the_secrets_not_productions(self, shop: Shop, operation: str) -> None:
        leaked = Login(shop.source.username, shop.source.password)
        with pytest.raises(DatabaseError), shop.databases.connect("orders-staging", leaked, "shop"):
            pass
        with shop.databases.connect("orders-staging", Login(leaked.username, shop.target.password), "shop"):
            pass

    def test_the_application_may_read_and_write_rows_and_nothing_else(self, shop: Shop, operation: str) -> None:
        with shop.databases.connect("orders-staging", shop.aws.secret("app-credentials"), "shop") as connection:
            cursor = connection.cursor()
            cursor.execute("UPDATE shop.orders SET status = 'paid' WHERE id = 1")
            connection.rollback()
            for statement in ("CREATE TABLE shop.t (i int)", "DROP TABLE shop.orders", "CREATE ROLE r"):
                with pytest.raises(DatabaseError, match="42501"):
                    cursor.execute(statement)
                connection.rollback()

    def test_the_audit_trail_tells_every_step(self, shop: Shop, operation: str) -> None:
        trail = shop.audit(operation)
        assert trail[0] == ("SnapshotCheck", "STARTED")
        assert trail[-1] == ("ReleaseLock", "SUCCEEDED")
        assert {status for _, status in trail} == {"STARTED", "SUCCEEDED"}

    def test_the_operation_is_recorded_and_the_lock_free(self, shop: Shop, operation: str) -> None:
        item = shop.item(operation)
        assert item is not None and item["status"]["S"] == "SUCCEEDED"
        assert shop.lock_owner("orders-staging") == ""

    def test_no_secret_is_in_any_record(self, shop: Shop, operation: str) -> None:
        secrets = [shop.aws.secret(name).password for name in ("master-credentials", "app-credentials")]
        execution = shop.execution(operation)
        history = shop.aws.client("stepfunctions").get_execution_history(executionArn=execution["executionArn"])
        logs = shop.aws.client("logs")
        groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
        events = [logs.filter_log_events(logGroupName=group)["events"] for group in groups]
        tables = [
            shop.aws.client("dynamodb").scan(TableName=f"{PREFIX}-{name}")["Items"] for name in ("state", "audit")
        ]
        recorded = json.dumps([history["events"], events, tables, execution, self.output], default=str)
        assert len(recorded) > 10_000
        for secret in [*secrets, shop.source.password]:
            assert secret not in recorded

    def test_a_second_start_under_the_same_name_runs_nothing_twice(self, shop: Shop, operation: str) -> None:
        before = shop.clusters()
        restore(shop, operation)
        assert shop.clusters() == before


def test_a_restore_from_another_region_copies_the_snapshot_first(shop: Shop) -> None:
    """The copy is ours, so it goes when the restore is done; the original stays."""
    far, near = shop.aws.client("rds", "eu-west-1"), shop.aws.client("rds")
    source = near.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier="orders-prod-nightly")
    far.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=source["DBClusterSnapshots"][0]["DBClusterSnapshotArn"],
        TargetDBClusterSnapshotIdentifier="orders-prod-far",
        SourceRegion="us-east-1",
        KmsKeyId="alias/aws/rds",
    )
    far.get_waiter("db_cluster_snapshot_available").wait(
        DBClusterSnapshotIdentifier="orders-prod-far", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    played = restore(
        shop, "far-away", request={"source": {"type": "snapshot", "snapshot": "orders-prod-far", "region": "eu-west-1"}}
    )
    assert played.code == 0, played.output
    assert "CopySnapshot" in played.output
    assert shop.rows("orders-staging") == shop.rows("orders-prod")
    left = [item["DBClusterSnapshotIdentifier"] for item in near.describe_db_cluster_snapshots()["DBClusterSnapshots"]]
    assert left == ["orders-prod-nightly"]
    assert far.describe_db_cluster_snapshots()["DBClusterSnapshots"]

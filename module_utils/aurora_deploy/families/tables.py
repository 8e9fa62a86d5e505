"""DynamoDB tables: on demand, encrypted with a customer key, recoverable to any second, protected from deletion."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from aurora_deploy.action import Run, Work
from aurora_deploy.clients import together
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family
from aurora_deploy.errors import DeployError, is_code
from aurora_deploy.families.propagation import once_propagated
from aurora_deploy.tags import removed, tag_list, tag_map

_ENCRYPTED = ("ENABLED", "ENABLING", "UPDATING")


def plan(run: Run) -> Iterator[Work]:
    """Declare the tables of the task."""
    if run.absent:
        yield TableFamily(run.aws), {table["name"]: None for table in run.args["tables"]}
        return
    shared = {
        "kms_key": run.lookup.key_arn(run.args["kms_key"]),
        "deletion_protection": run.args["deletion_protection"],
        "point_in_time_recovery": run.args["point_in_time_recovery"],
        "billing_mode": "PAY_PER_REQUEST",
        "tags": run.args["tags"],
    }
    keys = ("partition_key", "sort_key", "ttl_attribute")
    yield (
        TableFamily(run.aws),
        {table["name"]: {**shared, **{key: table[key] for key in keys}} for table in run.args["tables"]},
    )


class TableFamily(Family):
    """One item is one table; keys are strings, as every attribute of ours that identifies something is."""

    label = "DynamoDB table"
    fixed = ("partition_key", "sort_key")
    fixed_remedy = "keep its keys, or name another table in the inventory"

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        """DynamoDB has no bulk read: four small calls a table, tables side by side."""
        return together(self._read_one, names)

    def _read_one(self, name: str) -> Attributes | None:
        client = self.aws.client("dynamodb")
        try:
            table = client.describe_table(TableName=name)["Table"]
        except client.exceptions.ResourceNotFoundException:
            return None
        if table["TableStatus"] == "DELETING":
            raise DeployError(f"{name} is being deleted. Fix: run again when it is gone")
        keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
        backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        lifetime = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        encryption = table.get("SSEDescription", {})
        ttl_on = lifetime["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
        return {
            "_arn": table["TableArn"],
            "partition_key": keys["HASH"],
            "sort_key": keys.get("RANGE"),
            "billing_mode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "kms_key": encryption.get("KMSMasterKeyArn") if encryption.get("Status") in _ENCRYPTED else None,
            "deletion_protection": table.get("DeletionProtectionEnabled", False),
            "point_in_time_recovery": backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
            == "ENABLED",
            "ttl_attribute": lifetime.get("AttributeName") if ttl_on else None,
            "tags": tag_map(self.aws.pages("dynamodb", "list_tags_of_resource", "Tags", ResourceArn=table["TableArn"])),
        }

    def create(self, name: str, after: Attributes) -> None:
        """CreateTable, then what it cannot take: point-in-time recovery and time to live."""
        keys = [(after["partition_key"], "HASH"), (after["sort_key"], "RANGE")]
        keys = [(attribute, kind) for attribute, kind in keys if attribute]
        self.aws.client("dynamodb").create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute, _ in keys],
            KeySchema=[{"AttributeName": attribute, "KeyType": kind} for attribute, kind in keys],
            BillingMode=after["billing_mode"],
            SSESpecification=_encryption(after),
            DeletionProtectionEnabled=after["deletion_protection"],
            Tags=tag_list(after["tags"]),
        )
        self._wait_active(name)
        if after["point_in_time_recovery"]:
            self._set_recovery(name, on=True)
        if after["ttl_attribute"]:
            self._set_ttl(name, after["ttl_attribute"], on=True)

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """UpdateTable takes one kind of change at a time and wants the table active in between."""
        client = self.aws.client("dynamodb")
        self._wait_active(name)
        for attribute, parameters in (
            ("billing_mode", {"BillingMode": after["billing_mode"]}),
            ("kms_key", {"SSESpecification": _encryption(after)}),
            ("deletion_protection", {"DeletionProtectionEnabled": after["deletion_protection"]}),
        ):
            if attribute in changed:
                client.update_table(TableName=name, **parameters)
                self._wait_active(name)
        if "point_in_time_recovery" in changed:
            self._set_recovery(name, on=after["point_in_time_recovery"])
        if "ttl_attribute" in changed:
            if before["ttl_attribute"]:
                self._set_ttl(name, before["ttl_attribute"], on=False)
            if after["ttl_attribute"]:
                self._set_ttl(name, after["ttl_attribute"], on=True)
        if "tags" in changed:
            if gone := removed(before["tags"], after["tags"]):
                client.untag_resource(ResourceArn=before["_arn"], TagKeys=gone)
            client.tag_resource(ResourceArn=before["_arn"], Tags=tag_list(after["tags"]))

    def delete(self, name: str, before: Attributes) -> None:
        """Removal is asked for by `state: absent`, so protection is switched off first."""
        client = self.aws.client("dynamodb")
        if before["deletion_protection"]:
            client.update_table(TableName=name, DeletionProtectionEnabled=False)
            self._wait_active(name)
        client.delete_table(TableName=name)
        client.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 150})

    def _wait_active(self, name: str) -> None:
        self.aws.wait(
            "dynamodb",
            "DescribeTable",
            [{"state": "success", "matcher": "path", "argument": "Table.TableStatus", "expected": "ACTIVE"}],
            delay=2,
            attempts=150,
            TableName=name,
        )

    def _set_recovery(self, name: str, *, on: bool) -> None:
        """Right after CreateTable, DynamoDB refuses while it is still enabling backups."""
        recovery = {"PointInTimeRecoveryEnabled": on}
        client = self.aws.client("dynamodb")
        once_propagated(
            lambda: client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery),
            lambda error: is_code(error, "ContinuousBackupsUnavailableException"),
        )

    def _set_ttl(self, name: str, attribute: str, *, on: bool) -> None:
        try:
            self.aws.client("dynamodb").update_time_to_live(
                TableName=name, TimeToLiveSpecification={"Enabled": on, "AttributeName": attribute}
            )
        except Exception as error:
            if is_code(error, "ValidationException") and "been modified multiple times" in str(error):
                raise DeployError(
                    "DynamoDB allows one change of the time to live an hour. Fix: run again in an hour"
                ) from error
            raise


def _encryption(after: Attributes) -> dict[str, Any]:
    return {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": after["kms_key"]}

"""The customer key of a deployment, found by its alias or, where a run was cut short before naming it, by its tags."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from aurora_deploy import keys
from aurora_deploy.action import Run, Work
from aurora_deploy.clients import Aws, together
from aurora_deploy.diff import UNKNOWN, Attributes
from aurora_deploy.engine import Family
from aurora_deploy.errors import DeployError
from aurora_deploy.families.propagation import made_once
from aurora_deploy.lookup import KEY
from aurora_deploy.tags import removed, tag_list

_USABLE = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}


def plan(run: Run) -> Iterator[Work]:
    """Declare the key, or only check the one that `existing_key` names."""
    if existing := run.args["existing_key"]:
        if not run.absent:
            run.answers[KEY.format(existing)] = require_usable(run.aws, existing)
        return
    family = KeyFamily(run.aws, run.args["deletion_window_days"], removing=run.absent)
    key = {
        "state": "Enabled",
        "alias": run.args["alias"],
        "description": run.args["description"],
        "policy": run.args["policy"],
        "rotation": True,
        "tags": run.args["tags"] | keys.identity(run.args["alias"]),
    }
    yield family, {run.args["alias"]: None if run.absent else key}
    if not run.absent:
        run.answers[KEY.format(run.args["alias"])] = family.arn


def require_usable(aws: Aws, key: str) -> str:
    """Return the ARN of `key` (id, ARN or alias); raise DeployError unless it is an enabled symmetric encryption key.

    KMS DescribeKey.
    """
    found = keys.describe(aws, key)
    if found is None:
        raise DeployError(f"the KMS key {key} does not exist. Fix: correct kms_key_id, or leave it empty")
    expected = {**_USABLE, "KeyState": "Enabled"}
    wrong = [
        f"{name} is {found.get(name)}, not {value}" for name, value in expected.items() if found.get(name) != value
    ]
    if wrong:
        raise DeployError(
            f"KMS key {key}: {'; '.join(wrong)}. "
            "Fix: enable it, name another key in kms_key_id, or leave kms_key_id empty to have one made"
        )
    return str(found["Arn"])


class KeyFamily(Family):
    """One item is one key; its name is its alias. While `removing`, a key that waits for deletion is gone."""

    label = "KMS key"

    def __init__(self, aws: Aws, deletion_window_days: int, *, removing: bool) -> None:
        super().__init__(aws)
        self.arn = UNKNOWN
        """The key's ARN, once it has been read or made."""
        self._window = deletion_window_days
        self._removing = removing

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        """DescribeKey by alias; only where no key has it, the tags of all keys."""
        return together(self._read_one, names)

    def _read_one(self, alias: str) -> Attributes | None:
        client = self.aws.client("kms")
        named = keys.describe(self.aws, alias)
        key = named or keys.find_by_tags(self.aws, alias)
        if key is None:
            return None
        if key["KeyState"] == "PendingDeletion" and self._removing:
            return None
        if wrong := [name for name, value in _USABLE.items() if key.get(name) != value]:
            raise DeployError(
                f"{alias} has the wrong {' and '.join(wrong)}. Fix: move the alias away or change name_prefix"
            )
        key_id, self.arn = key["KeyId"], key["Arn"]
        tags = keys.tags_of(self.aws, key_id)
        if named and not keys.identity(alias).items() <= tags.items():
            self._require_ours(alias, key_id)
        return {
            "_id": key_id,
            "state": key["KeyState"],
            "alias": alias if named else None,
            "description": key["Description"],
            "policy": json.loads(client.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]),
            "rotation": client.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"],
            "tags": tags,
        }

    def _require_ours(self, alias: str, key_id: str) -> None:
        """A key that lost its tags is ours while no other has them; otherwise somebody has moved the alias."""
        ours = keys.find_by_tags(self.aws, alias)
        if ours and ours["KeyId"] != key_id:
            raise DeployError(
                f"{alias} names the key {key_id}, but this deployment's key is {ours['KeyId']}. "
                "Fix: point the alias back to it (KMS UpdateAlias), or name the other key in kms_key_id"
            )

    def create(self, name: str, after: Attributes) -> None:
        """CreateKey with its tags in the same call, so that a run killed right after it is continued, not repeated."""
        client = self.aws.client("kms")
        key = self._create_key(name, after)
        key_id, self.arn = key["KeyId"], key["Arn"]
        self._name(key_id, name)
        client.enable_key_rotation(KeyId=key_id)

    def _name(self, key_id: str, alias: str) -> None:
        """Wait until the next task finds the key by its alias (KMS Developer Guide, "Eventual consistency")."""
        self.aws.client("kms").create_alias(AliasName=alias, TargetKeyId=key_id)
        known = [{"state": "success", "matcher": "path", "argument": "KeyMetadata.KeyId", "expected": key_id}]
        late = [{"state": "retry", "matcher": "error", "expected": "NotFoundException"}]
        self.aws.wait("kms", "DescribeKey", known + late, delay=1, attempts=60, KeyId=alias)

    def _create_key(self, alias: str, after: Attributes) -> dict[str, Any]:
        client = self.aws.client("kms", retries=False)
        parameters = {
            "Description": after["description"],
            "Policy": json.dumps(after["policy"]),
            "Tags": tag_list(after["tags"], "Tag"),
            **_USABLE,
        }

        def make() -> dict[str, Any]:
            return dict(client.create_key(**parameters)["KeyMetadata"])

        return made_once(make, lambda: keys.find_by_tags(self.aws, alias))

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """Make the key usable first: a key that waits for deletion refuses every other change."""
        client = self.aws.client("kms")
        key_id = before["_id"]
        if "state" in changed:
            if before["state"] == "PendingDeletion":
                client.cancel_key_deletion(KeyId=key_id)
            client.enable_key(KeyId=key_id)
        if "policy" in changed:
            client.put_key_policy(KeyId=key_id, PolicyName="default", Policy=json.dumps(after["policy"]))
        if "tags" in changed:
            if gone := removed(before["tags"], after["tags"]):
                client.untag_resource(KeyId=key_id, TagKeys=gone)
            client.tag_resource(KeyId=key_id, Tags=tag_list(after["tags"], "Tag"))
        if "alias" in changed:
            self._name(key_id, name)
        if "description" in changed:
            client.update_key_description(KeyId=key_id, Description=after["description"])
        if "rotation" in changed:
            client.enable_key_rotation(KeyId=key_id)

    def delete(self, name: str, before: Attributes) -> None:
        """KMS deletes keys only after a waiting period, within which the next deployment takes the key back."""
        client = self.aws.client("kms")
        if before["alias"]:
            client.delete_alias(AliasName=name)
        client.schedule_key_deletion(KeyId=before["_id"], PendingWindowInDays=self._window)

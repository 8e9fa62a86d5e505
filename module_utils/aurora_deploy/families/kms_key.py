"""The customer key of a deployment, found by its alias or, where a run was cut short before naming it, by its tags."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from aurora_deploy.action import Run, Work
from aurora_deploy.clients import Aws, together
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family
from aurora_deploy.errors import DeployError, is_code
from aurora_deploy.tags import removed, tag_list, tag_map

_USABLE = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}


def plan(run: Run) -> Iterator[Work]:
    """Declare the key, or only check the one that `existing_key` names."""
    if existing := run.args["existing_key"]:
        if not run.absent:
            require_usable(run.aws, existing)
        return
    family = KeyFamily(run.aws, run.args["tags"], run.args["deletion_window_days"], pending_is_absent=run.absent)
    key = {
        "state": "Enabled",
        "alias": run.args["alias"],
        "description": run.args["description"],
        "policy": run.args["policy"],
        "rotation": True,
        "tags": run.args["tags"],
    }
    yield family, {run.args["alias"]: None if run.absent else key}


def require_usable(aws: Aws, key: str) -> None:
    """Raise DeployError unless `key` (id, ARN or alias) is an enabled symmetric encryption key (KMS DescribeKey)."""
    found = aws.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    expected = {**_USABLE, "KeyState": "Enabled"}
    wrong = [
        f"{name} is {found.get(name)}, not {value}" for name, value in expected.items() if found.get(name) != value
    ]
    if wrong:
        raise DeployError(
            f"KMS key {key}: {'; '.join(wrong)}. "
            "Fix: enable it, name another key in kms_key_id, or leave kms_key_id empty to have one made"
        )


class KeyFamily(Family):
    """One item is one key; its name is its alias. `identity` are the tags by which a key without the alias is known."""

    label = "KMS key"

    def __init__(
        self, aws: Aws, identity: Mapping[str, str], deletion_window_days: int, *, pending_is_absent: bool
    ) -> None:
        super().__init__(aws)
        self._identity = dict(identity)
        self._window = deletion_window_days
        self._pending_is_absent = pending_is_absent

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        """DescribeKey by alias; only where no key has it, the tags of all keys."""
        return together(self._read_one, names)

    def _read_one(self, alias: str) -> Attributes | None:
        client = self.aws.client("kms")
        try:
            key = client.describe_key(KeyId=alias)["KeyMetadata"]
            named = True
        except client.exceptions.NotFoundException:
            found = self._find_by_tags()
            if found is None:
                return None
            key, named = found, False
        if key["KeyState"] == "PendingDeletion" and self._pending_is_absent:
            return None
        if wrong := [name for name, value in _USABLE.items() if key.get(name) != value]:
            raise DeployError(
                f"{alias} has the wrong {' and '.join(wrong)}. Fix: move the alias away or change name_prefix"
            )
        key_id = key["KeyId"]
        return {
            "_id": key_id,
            "state": key["KeyState"],
            "alias": alias if named else None,
            "description": key["Description"],
            "policy": json.loads(client.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]),
            "rotation": client.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"],
            "tags": self._tags(key_id),
        }

    def _find_by_tags(self) -> dict[str, Any] | None:
        """Return the key that carries the identity: the one in best state, the oldest of several."""
        tags = together(self._tags, [key["KeyId"] for key in self.aws.pages("kms", "list_keys", "Keys")])
        ours = [key_id for key_id, found in tags.items() if self._identity.items() <= found.items()]
        keys = [self.aws.client("kms").describe_key(KeyId=key_id)["KeyMetadata"] for key_id in ours]
        order = {"Enabled": 0, "Disabled": 1, "PendingDeletion": 2}
        keys = [key for key in keys if key["KeyState"] in order]
        return min(keys, key=lambda key: (order[key["KeyState"]], key["CreationDate"]), default=None)

    def _tags(self, key_id: str) -> dict[str, str]:
        """Return the tags of a key; a key that we may not look at is not ours and has none."""
        try:
            return tag_map(self.aws.pages("kms", "list_resource_tags", "Tags", KeyId=key_id), "Tag")
        except Exception as error:
            if is_code(error, "AccessDeniedException", "NotFoundException"):
                return {}
            raise

    def create(self, name: str, after: Attributes) -> None:
        """CreateKey with its tags in the same call, so that a run killed right after it is continued, not repeated."""
        client = self.aws.client("kms")
        key_id = client.create_key(
            Description=after["description"],
            Policy=json.dumps(after["policy"]),
            Tags=tag_list(after["tags"], "Tag"),
            **_USABLE,
        )["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName=name, TargetKeyId=key_id)
        client.enable_key_rotation(KeyId=key_id)

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
            client.create_alias(AliasName=name, TargetKeyId=key_id)
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

"""Credentials in Secrets Manager: generated where absent, never overwritten, never shown.

A secret's value stays inside this module: what the engine compares and shows is only whether credentials are there.
"""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from aurora_deploy.action import Run, Work
from aurora_deploy.clients import Aws, together
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family
from aurora_deploy.errors import DeployError, is_code
from aurora_deploy.families.propagation import once_propagated
from aurora_deploy.tags import removed, tag_list, tag_map

PASSWORD_LENGTH = 32
_ALPHABET = string.ascii_letters + string.digits + "-_.~+*!="  # nothing that Aurora, shells or URLs trip over
_FORBIDDEN_TO_AURORA = set('/"@ ')


def plan(run: Run) -> Iterator[Work]:
    """Declare the secrets of the task."""
    wanted = {secret["name"]: secret for secret in run.args["secrets"]}
    family = SecretFamily(run.aws, wanted, recovery_window_days=run.args["recovery_window_days"], removing=run.absent)
    if run.absent:
        yield family, dict.fromkeys(wanted)
        return
    shared = {
        "credentials": "present",
        "scheduled_for_deletion": False,
        "kms_key": run.lookup.key_arn(run.args["kms_key"]),
        "tags": run.args["tags"],
    }
    yield family, {name: {**shared, "description": secret["description"]} for name, secret in wanted.items()}


def generate_password() -> str:
    """Return a password that Aurora takes for a master user (RDS ModifyDBCluster, MasterUserPassword)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(PASSWORD_LENGTH))


def mistake_in(value: str, *, master: bool) -> str | None:
    """Return what is wrong with a secret's value without repeating any of it; None if it holds usable credentials.

    A `master` password must also be one that Aurora takes: 8 to 41 printable ASCII characters, none of / " @ or space.
    """
    try:
        credentials = json.loads(value)
    except ValueError:
        return "it is not JSON"
    if not isinstance(credentials, dict):
        return "it is not a JSON object"
    for key in ("username", "password"):
        if not isinstance(credentials.get(key), str) or not credentials[key]:
            return f"it has no {key}, or one that is not a string"
    password = credentials["password"]
    printable = password.isascii() and password.isprintable() and not _FORBIDDEN_TO_AURORA & set(password)
    if master and not (printable and 8 <= len(password) <= 41):
        return 'Aurora takes master passwords of 8 to 41 printable ASCII characters without / " @ and space'
    return None


class SecretFamily(Family):
    """One item is one secret. `wanted` says by name which `username` to generate for and whether it is a `master`."""

    label = "secret"

    def __init__(
        self,
        aws: Aws,
        wanted: Mapping[str, Mapping[str, Any]],
        *,
        recovery_window_days: int,
        removing: bool,
    ) -> None:
        super().__init__(aws)
        self._wanted = wanted
        self._window = recovery_window_days
        self._removing = removing

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        """DescribeSecret and GetSecretValue a secret: ListSecrets answers late after a change."""
        return together(self._read_one, names)

    def _read_one(self, name: str) -> Attributes | None:
        client = self.aws.client("secretsmanager")
        try:
            secret = client.describe_secret(SecretId=name)
        except client.exceptions.ResourceNotFoundException:
            return None
        deleted = bool(secret.get("DeletedDate"))
        if deleted and self._removing:
            return None
        unread = deleted or self._removing  # a value that waits for deletion, or is about to, is nobody's business
        return {
            "credentials": "present" if unread or self._has_credentials(name) else "absent",
            "scheduled_for_deletion": deleted,
            "description": secret.get("Description", ""),
            "kms_key": secret.get("KmsKeyId"),
            "tags": tag_map(secret.get("Tags", [])),
        }

    def _has_credentials(self, name: str) -> bool:
        """Tell whether the secret has a value; a value that is no credentials is an error, never repaired by us."""
        client = self.aws.client("secretsmanager")
        try:
            found = client.get_secret_value(SecretId=name)
        except client.exceptions.ResourceNotFoundException:
            return False  # made without a value, or by a run that was cut short
        value = found.get("SecretString", "")
        if not value and "SecretBinary" not in found:
            return False
        if mistake := mistake_in(value, master=self._wanted[name]["master"]):
            raise DeployError(
                f'the secret {name} is malformed: {mistake}. Fix: store {{"username": "...", "password": "..."}} in it '
                "(PutSecretValue), or delete it and run again to have it generated"
            )
        return True

    def create(self, name: str, after: Attributes) -> None:
        """CreateSecret with generated credentials, once one of that name is gone that was deleted at once."""
        client = self.aws.client("secretsmanager")
        parameters = {
            "Name": name,
            "Description": after["description"],
            "KmsKeyId": after["kms_key"],
            "SecretString": self._generated(name),
            "Tags": tag_list(after["tags"]),
        }
        once_propagated(lambda: client.create_secret(**parameters), _still_there)

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """Restore first: a secret that waits for deletion refuses all other calls. Credentials are never replaced."""
        client = self.aws.client("secretsmanager")
        if "scheduled_for_deletion" in changed:
            client.restore_secret(SecretId=name)
        if {"kms_key", "description"} & set(changed):
            client.update_secret(SecretId=name, KmsKeyId=after["kms_key"], Description=after["description"])
        if "tags" in changed:
            if gone := removed(before["tags"], after["tags"]):
                client.untag_resource(SecretId=name, TagKeys=gone)
            client.tag_resource(SecretId=name, Tags=tag_list(after["tags"]))
        if {"scheduled_for_deletion", "credentials"} & set(changed) and not self._has_credentials(name):
            client.put_secret_value(SecretId=name, SecretString=self._generated(name))

    def delete(self, name: str, before: Attributes) -> None:
        """Schedule the deletion, within which a deployment takes the secret back; a window of 0 deletes at once."""
        how: dict[str, Any] = (
            {"RecoveryWindowInDays": self._window} if self._window else {"ForceDeleteWithoutRecovery": True}
        )
        self.aws.client("secretsmanager").delete_secret(SecretId=name, **how)

    def _generated(self, name: str) -> str:
        return json.dumps({"username": self._wanted[name]["username"], "password": generate_password()})


def _still_there(error: ClientError) -> bool:
    """Secrets Manager deletes in the background, also at once (Secrets Manager API Reference, DeleteSecret)."""
    return is_code(error, "InvalidRequestException") and "scheduled for deletion" in str(error)

"""Credentials from AWS Secrets Manager. Neither a value nor a part of it ever enters a message, a repr or a log."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aurora_restore.aws.calls import call
from aurora_restore.errors import ResourceMissing, SecretMalformed, SecretNotFound

# ModifyDBCluster, MasterUserPassword: 8 to 41 printable ASCII characters; the parameter's own page adds the space.
_MASTER_LENGTH = range(8, 42)
_MASTER_FORBIDDEN = frozenset('/"@ ')


@dataclass(frozen=True)
class Credentials:
    """One login. `version` is the secret's VersionId: it changes whenever the secret does."""

    secret: str
    version: str
    username: str
    password: str = field(repr=False)


class Secrets:
    """AWS Secrets Manager, read only."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def credentials(self, secret: str) -> Credentials:
        """The login in `secret` (name or ARN), stage AWSCURRENT (GetSecretValue).

        Raises SecretNotFound; SecretMalformed unless it is a JSON object whose `username` and `password` are texts.
        """
        try:
            answer = call(self._client.get_secret_value, SecretId=secret)
        except ResourceMissing:
            raise SecretNotFound(f"Secret {secret!r} does not exist in this account and region.") from None
        try:
            content = json.loads(answer.get("SecretString") or "")
        except ValueError:  # its message quotes the text: out of the chain with it
            raise SecretMalformed(f"Secret {secret!r} is not JSON text.") from None
        if not isinstance(content, dict):
            raise SecretMalformed(f"Secret {secret!r} is JSON, but not an object.")
        username, password = content.get("username"), content.get("password")
        problems = [name for name, value in (("username", username), ("password", password)) if not _usable(value)]
        if problems:
            raise SecretMalformed(f"Secret {secret!r} lacks {' and '.join(problems)} as text without NUL characters.")
        return Credentials(secret, str(answer.get("VersionId", "")), str(username), str(password))

    def master_credentials(self, secret: str) -> Credentials:
        """As `credentials`, and SecretMalformed for a password that ModifyDBCluster would refuse."""
        found = self.credentials(secret)
        problems = []
        if len(found.password) not in _MASTER_LENGTH:
            problems.append(f"its length is not {_MASTER_LENGTH.start} to {_MASTER_LENGTH.stop - 1} characters")
        if not all(" " <= character <= "~" for character in found.password):
            problems.append("it holds characters that are not printable ASCII")
        if _MASTER_FORBIDDEN.intersection(found.password):
            problems.append('it holds a slash, a double quote, an at sign or a space (/ " @)')
        if problems:
            raise SecretMalformed(
                f"Aurora refuses the password in secret {secret!r}: {'; '.join(problems)}.",
                remedy="Write another password into the secret that keeps to these rules, and start again.",
            )
        return found


def _usable(value: object) -> bool:
    return isinstance(value, str) and value != "" and "\0" not in value

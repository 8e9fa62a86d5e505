"""A restored cluster in the middle of its operation, for the steps that work inside its databases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aurora_restore.aws.secrets import Secrets
from aurora_restore.context import Context
from aurora_restore.request import Verify, as_plain
from aurora_restore.store import resource_key
from tests.unit.lambdas.pipeline import OPERATION, Pipeline

CLUSTER = f"orders-staging-{OPERATION}"
MASTER_SECRET = "aurora-restore/master-credentials"


class SecretsClient:
    """GetSecretValue; `values` maps a name to the secret's text, a version counts its changes."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.versions: dict[str, int] = {}

    def put(self, name: str, content: object) -> None:
        self.values[name] = content if isinstance(content, str) else json.dumps(content)
        self.versions[name] = self.versions.get(name, 0) + 1

    def get_secret_value(self, SecretId: str) -> dict[str, Any]:
        if SecretId not in self.values:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}, "GetSecretValue")
        return {"SecretString": self.values[SecretId], "VersionId": f"v{self.versions[SecretId]}"}


@dataclass
class Operation:
    """A running operation: its fakes, its context and the document its next step would get."""

    pipeline: Pipeline = field(default_factory=Pipeline)
    secrets: SecretsClient = field(default_factory=SecretsClient)
    users: list[dict[str, Any]] = field(default_factory=list)
    verify: dict[str, Any] = field(default_factory=lambda: as_plain(Verify()))
    credentials: dict[str, Any] = field(default_factory=lambda: {"master": "secret", "keep_logins": []})
    jobs: dict[str, Any] = field(default_factory=lambda: {"keep": []})
    masking: dict[str, Any] = field(default_factory=lambda: {"needed": False})
    engine: str = "aurora-postgresql"
    results: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.secrets.put(MASTER_SECRET, {"username": "admin", "password": "Environment-1"})
        self.context: Context = replace(self.pipeline.context, open_secrets=lambda: Secrets(self.secrets))
        store, clock = self.pipeline.store, self.pipeline.clock
        store.begin(OPERATION, {"execution_id": "arn:execution"})
        now = int(clock.now().timestamp())
        store.acquire(resource_key("us-east-1", "orders-staging"), OPERATION, now + 7200, now)
        self.cluster = self.pipeline.rds.add_cluster(
            CLUSTER, tags={"aurora-restore:operation": OPERATION}, Engine=self.engine
        )

    @property
    def document(self) -> Mapping[str, Any]:
        plan = {
            "operation_id": OPERATION,
            "deadline": 1_795_417_200 + 7200,  # two hours from the fake clock's start
            "target": {"cluster": "orders-staging", "region": "us-east-1"},
            "restore": {"cluster_id": CLUSTER, "engine": self.engine},
            "users": self.users,
            "credentials": self.credentials,
            "jobs": self.jobs,
            "masking": self.masking,
            "verify": self.verify,
            "expected_phases": {},
        }
        return {"plan": plan, **self.results}

    def entry(self, step: str) -> Mapping[str, Any]:
        """What the step journalled last."""
        found = self.pipeline.store.read(OPERATION)
        assert found is not None
        return found.entry(step)


@pytest.fixture
def operation() -> Operation:
    return Operation()

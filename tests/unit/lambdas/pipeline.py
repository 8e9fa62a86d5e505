"""A whole pipeline in one process: the real steps and the real definition, over fakes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aurora_restore import entry
from aurora_restore.aws.executions import Executions
from aurora_restore.aws.kms import Keys
from aurora_restore.aws.notifications import Notifications
from aurora_restore.aws.rds import Rds
from aurora_restore.aws.rds_offers import Offers
from aurora_restore.aws.sts import Identity
from aurora_restore.aws.tasks import Tasks
from aurora_restore.context import Context
from aurora_restore.log import build_logger
from aurora_restore.settings import Settings
from aurora_restore.steps import (
    acquire_lock,
    archive_snapshot,
    check_copy_status,
    check_instances,
    check_restore_status,
    check_rollback,
    copy_snapshot,
    create_instances,
    finish_rollback,
    handle_failure,
    notify_start,
    notify_success,
    release_lock,
    remove_target,
    request_approval,
    restore_snapshot,
    snapshot_check,
    swap_clusters,
    sweep,
    take_over,
)
from tests.unit.lambdas.fake_clock import FakeClock
from tests.unit.lambdas.fake_offers import FakeKeys, FakeOffers
from tests.unit.lambdas.fake_rds import ACCOUNT, FakeRds
from tests.unit.lambdas.fake_step_functions import FakeStepFunctions
from tests.unit.lambdas.machine import Execution, Handler, Stopped, execute, execution_arn
from tests.unit.lambdas.memory_store import MemoryStore

OPERATION = "20261123-071450-x7k2"
ENVIRONMENT = {
    "ENVIRONMENT": "test",
    "REGION": "us-east-1",
    "ACCOUNT_ID": ACCOUNT,
    "DYNAMODB_TABLE_NAME": "aurora-restore-state",
    "SNS_TOPIC_ARN": f"arn:aws:sns:us-east-1:{ACCOUNT}:aurora-restore-notifications",
    "KMS_KEY_ID": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/pipeline",
    "VPC_ID": "vpc-1",
    "SUBNET_IDS": "subnet-1,subnet-2",
    "SECURITY_GROUP_IDS": "sg-1",
}
REQUEST: dict[str, Any] = {
    "source": {"type": "latest_snapshot", "cluster": "orders-prod"},
    "target": {"cluster": "orders-staging"},
}
STEPS: dict[str, tuple[Any, str | None]] = {
    "snapshot-check": (snapshot_check, None),
    "take-over": (take_over, "taken"),
    "check-rollback": (check_rollback, None),
    "finish-rollback": (finish_rollback, None),
    "acquire-lock": (acquire_lock, None),
    "request-approval": (request_approval, None),
    "notify-start": (notify_start, None),
    "copy-snapshot": (copy_snapshot, "copy"),
    "check-copy-status": (check_copy_status, "copy"),
    "remove-target": (remove_target, "removal"),
    "restore-snapshot": (restore_snapshot, None),
    "check-restore-status": (check_restore_status, "restore"),
    "create-instances": (create_instances, None),
    "check-instances": (check_instances, "instances"),
    "swap-clusters": (swap_clusters, "swap"),
    "archive-snapshot": (archive_snapshot, None),
    "notify-success": (notify_success, None),
    "release-lock": (release_lock, None),
    "handle-failure": (handle_failure, "failure"),
}


class Topic:
    """Collects what is published."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def publish(self, TopicArn: str, Subject: str, Message: str) -> dict[str, str]:
        self.messages.append((Subject, Message))
        return {"MessageId": str(len(self.messages))}


class Sts:
    account = ACCOUNT

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": self.account}


class Approvers:
    """Answer to task tokens: what was sent for a token, else what `decide` says about it."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.sent: dict[str, Any] = {}
        self.decide: Callable[[str], Mapping[str, Any] | Exception | None] = lambda _token: None

    def send_task_success(self, taskToken: str, output: str) -> dict[str, Any]:
        self.sent[taskToken] = json.loads(output)
        return {}

    def answer(self, token: str) -> Mapping[str, Any] | Exception | None:
        self.tokens.append(token)
        found: Mapping[str, Any] | None = self.sent.get(token)
        return found if found is not None else self.decide(token)


def _database_step(_context: Context, _document: Mapping[str, Any]) -> dict[str, Any]:
    """Stands in for the steps that need a database: they have tests of their own, with real servers."""
    return {"done": True, "wait_seconds": 0}


@dataclass
class Pipeline:
    """`rds` is the pipeline's region, `regions` all of them; `overrides` replaces a function's step."""

    clock: FakeClock = field(default_factory=FakeClock)
    overrides: dict[str, Callable[[Context, Mapping[str, Any]], dict[str, Any]]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.regions = {region: FakeRds(self.clock, region) for region in ("us-east-1", "eu-west-1")}
        for rds in self.regions.values():
            rds.regions = self.regions
        self.rds = self.regions["us-east-1"]
        self.store = MemoryStore(self.clock)
        self.topic = Topic()
        self.sts = Sts()
        self.approvers = Approvers()
        self.offers_in = {region: FakeOffers() for region in self.regions}
        self.offers, self.keys = self.offers_in["us-east-1"], FakeKeys()
        self.step_functions = FakeStepFunctions()
        settings = Settings.from_env({**ENVIRONMENT, **self.environment})
        self.context = Context(
            settings=settings,
            rds_in=lambda region: Rds(self.regions[region]),
            keys_in=lambda _region: Keys(self.keys),
            offers_in=lambda region: Offers(self.offers_in[region]),
            open_secrets=_no_secrets,
            store=self.store,
            notifications=Notifications(lambda: self.topic, settings.topic_arn),
            identity=Identity(lambda: self.sts),
            tasks=Tasks(lambda: self.approvers),
            executions=Executions(lambda: self.step_functions),
            clock=self.clock,
            logger=build_logger(settings),
        )

    def seed(self, **target: Any) -> None:
        """A source with one snapshot, and a target of two instances that may be replaced."""
        self.rds.add_cluster("orders-prod")
        self.rds.add_snapshot("prod-nightly", "orders-prod")
        tags = {"aurora-restore:target": "true", "team": "shop", "aws:cloudformation:stack-name": "x"}
        self.rds.add_cluster("orders-staging", tags=tags, classes=("db.r6g.large", "db.r6g.xlarge"), **target)

    def run(self, request: Any = None, name: str = OPERATION) -> Execution:
        """One execution from start to end; raising Stopped anywhere in it ends it as StopExecution does."""
        known = self.step_functions.executions[execution_arn(name)] = {"status": "RUNNING"}
        given = REQUEST if request is None else request
        try:
            execution = execute(given, self.handlers(), self.clock, name, self.approvers.answer)
        except Stopped:
            execution = Execution(status="ABORTED")
            known |= {"error": "OperationAborted", "cause": "stopped by a test"}
        known["status"] = execution.status
        return execution

    def sweep(self) -> dict[str, Any]:
        return entry.sweeper(sweep.run, context=lambda: self.context)({}, None)

    def handlers(self) -> dict[str, Handler]:
        runs: dict[str, tuple[Any, str | None]] = {name: (step.run, key) for name, (step, key) in STEPS.items()}
        for name in ("reset-credentials", "setup-db-users", "verify-restore"):
            runs[name] = (_database_step, None)
        for name, run in self.overrides.items():
            runs[name] = (run, runs[name][1])
        return {
            name: entry.handler(name, run, advances=key, context=lambda: self.context)
            for name, (run, key) in runs.items()
        }

    def events(self, status: str) -> list[str]:
        """The functions with an audit event of this status, in order."""
        return [event["step"] for event in self.store.events if event["status"] == status]


def _no_secrets() -> Any:
    raise AssertionError("none of these steps reads a secret")

"""What every step is given: settings, facades, store, clock and logger, built once per cold start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

from aurora_restore.aws.executions import Executions
from aurora_restore.aws.kms import Keys
from aurora_restore.aws.notifications import Notifications
from aurora_restore.aws.rds import Rds
from aurora_restore.aws.rds_offers import Offers
from aurora_restore.aws.sts import Identity
from aurora_restore.aws.tasks import Tasks
from aurora_restore.clock import Clock, SystemClock
from aurora_restore.log import build_logger
from aurora_restore.settings import Settings
from aurora_restore.store import Store
from aurora_restore.store_dynamodb import DynamoStore

if TYPE_CHECKING:
    from aurora_restore.aws.secrets import Secrets

# Standard mode with more attempts than its default of 3: at 20 % injected faults 3 attempts still lose calls, 6 do not.
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 6},
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="aurora-restore",
)


@dataclass(frozen=True)
class Context:
    """`rds_in(region)` is the RDS facade of any region, `rds` the one of the pipeline's own; likewise the others."""

    settings: Settings
    rds_in: Callable[[str], Rds]
    keys_in: Callable[[str], Keys]
    offers_in: Callable[[str], Offers]
    open_secrets: Callable[[], Secrets]
    store: Store
    notifications: Notifications
    identity: Identity
    tasks: Tasks
    executions: Executions
    clock: Clock
    logger: Logger

    @property
    def rds(self) -> Rds:
        return self.rds_in(self.settings.region)

    @property
    def offers(self) -> Offers:
        return self.offers_in(self.settings.region)

    @property
    def secrets(self) -> Secrets:
        return self.open_secrets()

    def now(self) -> int:
        """Epoch seconds."""
        return int(self.clock.now().timestamp())


def build_context(settings: Settings) -> Context:
    """The real thing. Clients are made when first used: most functions need two services, not five."""
    session: Any = boto3.session.Session(region_name=settings.region)

    def client(service: str, region: str = settings.region) -> Any:
        return session.client(service, region_name=region, config=CLIENT_CONFIG)

    @cache
    def rds_in(region: str) -> Rds:
        return Rds(client("rds", region))

    @cache
    def keys_in(region: str) -> Keys:
        return Keys(client("kms", region))

    @cache
    def offers_in(region: str) -> Offers:
        return Offers(client("rds", region))

    @cache
    def open_secrets() -> Secrets:
        from aurora_restore.aws.secrets import Secrets  # only the database steps need it

        return Secrets(client("secretsmanager"))

    clock = SystemClock()
    return Context(
        settings=settings,
        rds_in=rds_in,
        keys_in=keys_in,
        offers_in=offers_in,
        open_secrets=open_secrets,
        store=DynamoStore(
            client("dynamodb"), settings.state_table, settings.audit_table, settings.audit_ttl_days, clock
        ),
        notifications=Notifications(lambda: client("sns"), settings.topic_arn),
        identity=Identity(lambda: client("sts")),
        tasks=Tasks(lambda: client("stepfunctions")),
        executions=Executions(lambda: client("stepfunctions")),
        clock=clock,
        logger=build_logger(settings),
    )

"""Talking to AWS: one session per task, clients that several threads share, paginated reads, declarative waiters."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.waiter import WaiterModel, create_waiter_with_client

from aurora_deploy.errors import DeployError

THREADS = 8
"""Calls in flight at once: enough to overlap waits, few enough not to be throttled."""

T = TypeVar("T")

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 6},  # 5 retries outlast an API that refuses one call in five
    max_pool_connections=THREADS,
    connect_timeout=10,
    read_timeout=60,
    user_agent_extra="aurora-restore-deploy",
)

# Action plugins are imported once, in the controller, and every worker is forked from it: so this is parsed once.
_LOADER = botocore.loaders.create_loader()
for _document in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
    _LOADER.load_data(_document)
gc.freeze()


class Aws:
    """The connection of one task. Clients are made once, under a lock, and may be used by any number of threads.

    `region`, `profile` and `config_file` left empty mean boto3's ordinary chain: environment, ~/.aws, instance role.
    `AWS_ENDPOINT_URL` and `endpoint_url` of a profile work as everywhere.
    """

    def __init__(self, region: str = "", profile: str = "", config_file: str = "") -> None:
        self._session = botocore.session.Session(profile=profile or None)
        self._session.register_component("data_loader", _LOADER)
        for name, value in (("region", region), ("config_file", config_file)):
            if value:
                self._session.set_config_variable(name, value)
        self._clients: dict[tuple[str, bool], Any] = {}
        self._lock = threading.Lock()

    @property
    def region(self) -> str:
        """The region of this connection."""
        region = self._session.get_config_variable("region")
        if not region:
            raise DeployError("no region is configured. Fix: set the variable region in the inventory.")
        return str(region)

    def client(self, service: str, *, retries: bool = True) -> Any:
        """Return the shared client of a service, for example `aws.client("dynamodb")`.

        Without `retries` a lost reply is reported: for calls that would do their work twice when repeated.
        """
        with self._lock:
            key = (service, retries)
            if key not in self._clients:
                config = _CONFIG if retries else _CONFIG.merge(Config(retries={"total_max_attempts": 1}))
                self._clients[key] = self._session.create_client(service, config=config)
            return self._clients[key]

    def pages(self, service: str, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
        """Yield every element of `key` over all pages, for example `pages("sns", "list_topics", "Topics")`."""
        for page in self.client(service).get_paginator(operation).paginate(**parameters):
            yield from page.get(key, [])

    def wait(
        self,
        service: str,
        operation: str,
        acceptors: list[dict[str, Any]],
        *,
        delay: float,
        attempts: int,
        **parameters: Any,
    ) -> None:
        """Call `operation` (API name) every `delay` seconds until an acceptor decides; raises botocore's WaiterError.

        The acceptors are those of botocore's waiter models: {"state", "matcher", "expected", "argument"}.
        """
        waiter = {"operation": operation, "delay": delay, "maxAttempts": attempts, "acceptors": acceptors}
        model = WaiterModel({"version": 2, "waiters": {operation: waiter}})
        create_waiter_with_client(operation, model, self.client(service)).wait(**parameters)


def together(function: Callable[[str], T | None], names: Iterable[str]) -> dict[str, T]:
    """Call `function` for every name at once and return the results by name, without those that are None.

    For services that have no bulk read. The first failure is raised after all calls have ended.
    """
    wanted = list(names)
    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(function, wanted))
    return {name: result for name, result in zip(wanted, results, strict=True) if result is not None}


def common_start(names: Collection[str]) -> str:
    """Return what all names begin with, for listings that take a prefix.

    Of all strings, those between the first and the last in order share what these two share.
    """
    first, last = min(names), max(names)
    length = next(
        (index for index, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first)
    )
    return first[:length]

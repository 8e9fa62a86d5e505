"""Operations that reach for one lock at the same moment: moto does not write atomically, the local AWS does."""

from __future__ import annotations

import threading

from aurora_restore.clock import SystemClock
from aurora_restore.errors import LockHeld
from aurora_restore.store_dynamodb import DynamoStore
from tests.integration.pipeline.conftest import PREFIX, LocalAws

_RACERS = 6
_ROUNDS = 10


def test_of_many_that_see_the_same_expired_lock_one_wins(deployed: LocalAws) -> None:
    client = deployed.client("dynamodb")

    def store() -> DynamoStore:
        return DynamoStore(client, f"{PREFIX}-state", f"{PREFIX}-audit", 30, SystemClock())

    for number in range(_ROUNDS):
        target = f"us-east-1#raced-{number}"
        store().acquire(target, "dead", lease_until=100, now=50)
        barrier, winners = threading.Barrier(_RACERS), list[str]()

        def race(
            owner: str, target: str = target, barrier: threading.Barrier = barrier, winners: list[str] = winners
        ) -> None:
            barrier.wait()
            try:
                winners.append(store().acquire(target, owner, lease_until=900, now=200).owner)
            except LockHeld:
                return

        racers = [threading.Thread(target=race, args=(f"op-{racer}",)) for racer in range(_RACERS)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert len(winners) == 1
        holder = store().holder(target)
        assert holder is not None and [holder.owner] == winners

"""What the orchestration of a restore adds: the real definition over the real steps, against a virtual clock.

Amazon RDS, DynamoDB and the database steps are the tests' fakes; how long AWS takes is set. A function takes no time
here, so the lag is what the waiting costs alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from statistics import fmean
from typing import Any

from aurora_restore.store import resource_key
from benchmarks import report
from tests.unit.lambdas.fake_clock import FakeClock
from tests.unit.lambdas.fake_rds import FakeRds
from tests.unit.lambdas.pipeline import Pipeline

# USD in us-east-1, without free tiers: "AWS Step Functions pricing", "AWS Lambda pricing" (arm64) and "Amazon DynamoDB
# pricing for on-demand capacity", as of November 2026.
PRICE_TRANSITION = 0.025 / 1000
PRICE_INVOCATION = 0.20 / 1_000_000
PRICE_GB_SECOND = 0.0000133334
PRICE_WRITE = 0.625 / 1_000_000
PRICE_READ = 0.125 / 1_000_000
# A step's call: memory as deployed; seconds with generous room for a cold start.
INVOCATION_GB = 256 / 1024
INVOCATION_SECONDS = 1.0

KNOWN = (("nothing", False, False), ("history", False, True), ("percent", True, False))
HOURS = (1 / 6, 1, 6, 24)
SAMPLES = 100
SPREAD = 0.15  # of durations around their mean: what a target's history knows of its next restore
RENAME_SECONDS = 60  # of each cluster and instance in the swap
INSTANCES_SECONDS = 600  # instances of an Aurora cluster hold no data: they take no longer for a larger one
PHASES = ("copy", "restore", "instances")
TARGET = "orders-staging"
# DynamoDB requests behind each method of the store: (reads, writes).
_STORE = {
    "acquire": (2, 1),
    "audit": (0, 1),
    "begin": (0, 1),
    "history": (1, 0),
    "holder": (1, 0),
    "journal": (0, 1),
    "read": (1, 0),
    "release": (0, 1),
    "remember": (1, 1),
    "set_status": (0, 1),
}


class TimedRds(FakeRds):
    """An RDS whose phases take what is set, and that may report its progress in percent."""

    def __init__(self, clock: FakeClock, region: str, seconds: Mapping[str, int], *, percent: bool) -> None:
        super().__init__(clock, region)
        self._seconds, self._percent = seconds, percent
        self._started: dict[str, float] = {}
        self._chance = random.Random(str(sorted(seconds.items())))  # the same renames in every run
        self.calls = 0

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        operation = super().__getattr__(name)

        def counted(**arguments: Any) -> dict[str, Any]:
            self.calls += 1
            phase = {"copy_": "copy", "resto": "restore", "creat": "instances"}.get(name[:5], "")
            self.delay = self._seconds.get(phase, round(RENAME_SECONDS * self._chance.uniform(1 - SPREAD, 1 + SPREAD)))
            if phase:
                self._started[phase] = self._clock.now().timestamp()
            self._progress()
            return operation(**arguments)

        counted.__name__ = name
        return counted

    def _progress(self) -> None:
        """Linear in time, as far as RDS reports it: for copies and for clusters that are being created."""
        if self._percent:
            for things, status, phase in (
                (self.snapshots, "copying", "copy"),
                (self.clusters, "creating", "restore"),
            ):
                for thing in things.values():
                    if thing["Status"] == status:
                        elapsed = self._clock.now().timestamp() - self._started[phase]
                        done = min(99, int(100 * elapsed / self._seconds[phase]))
                        thing["PercentProgress"] = done if status == "copying" else str(done)


@dataclass(frozen=True)
class Restore:
    """What one restore cost: lag as a share of the wait, seconds from the first rename to the last, and counts."""

    lag: float
    cutover: int
    transitions: int
    invocations: int
    rds_calls: int
    reads: int
    writes: int

    @property
    def dollars(self) -> float:
        """What AWS bills for the orchestration itself; not for databases, snapshots and logs."""
        invocation = PRICE_INVOCATION + INVOCATION_GB * INVOCATION_SECONDS * PRICE_GB_SECOND
        return (
            self.transitions * PRICE_TRANSITION
            + self.invocations * invocation
            + self.reads * PRICE_READ
            + self.writes * PRICE_WRITE
        )


def replay(seconds: Mapping[str, int], *, percent: bool, history: list[dict[str, int]]) -> Restore:
    """Run one restore whose phases take `seconds`, from another region if it has a copy. Raises RuntimeError."""
    region = "eu-west-1" if "copy" in seconds else "us-east-1"
    pipeline = Pipeline(environment={"STATE_MACHINE_TIMEOUT_SECONDS": str(sum(seconds.values()) * 2 + 7200)})
    regions = {name: TimedRds(pipeline.clock, name, seconds, percent=percent) for name in pipeline.regions}
    pipeline.regions.update(regions)
    for rds in regions.values():
        rds.regions = pipeline.regions
    pipeline.rds = regions["us-east-1"]
    pipeline.seed()
    if "copy" in seconds:
        regions[region].add_cluster("orders-prod")
        regions[region].add_snapshot("prod-nightly", "orders-prod")
    for number, durations in enumerate(history):
        pipeline.store.remember(resource_key("us-east-1", TARGET), f"earlier-{number}", durations)
    counted = _count(pipeline)
    before = sum(rds.calls for rds in regions.values())
    source = {"type": "latest_snapshot", "cluster": "orders-prod", "region": region}
    execution = pipeline.run({"source": source, "target": {"cluster": TARGET}})
    if execution.status != "SUCCEEDED":
        raise RuntimeError(f"{execution.status}: {execution.error}: {execution.cause}")
    waited = {phase: execution.output[phase]["seconds"] for phase in seconds}
    return Restore(
        lag=sum(waited[phase] - seconds[phase] for phase in seconds) / sum(seconds.values()),
        cutover=execution.output["swap"]["seconds"],
        transitions=len(execution.visited),
        invocations=sum(event == "LambdaFunctionScheduled" for event in execution.events),
        rds_calls=sum(rds.calls for rds in regions.values()) - before,
        reads=sum(_STORE[name][0] for name in counted),
        writes=sum(_STORE[name][1] for name in counted),
    )


def _count(pipeline: Pipeline) -> list[str]:
    """Return the list to which every call of the store adds its name."""
    counted: list[str] = []

    def counting(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            counted.append(name)
            return method(*arguments, **named)

        return call

    for name in _STORE:
        setattr(pipeline.store, name, counting(name, getattr(pipeline.store, name)))
    return counted


def restores(hours: float, *, copy: bool, percent: bool, known: bool, samples: int = SAMPLES) -> Iterator[Restore]:
    """Replay restores of about `hours`, the same ones for every way of knowing how far they are."""
    chance = random.Random(20261123)  # the same restores in every run

    def durations() -> dict[str, int]:
        instances = min(INSTANCES_SECONDS, hours * 3600 / 5)
        data = (hours * 3600 - instances) / (2 if copy else 1)
        means = {**({"copy": data} if copy else {}), "restore": data, "instances": instances}
        return {phase: round(mean * chance.uniform(1 - SPREAD, 1 + SPREAD)) for phase, mean in means.items()}

    for _ in range(samples):
        history = [durations() for _ in range(5)]
        yield replay(durations(), percent=percent, history=history if known else [])


def section() -> str:
    """Return the table of RESULTS.md."""
    rows = []
    for hours, copy, (title, percent, known) in product(HOURS, (False, True), KNOWN):
        found = list(restores(hours, copy=copy, percent=percent, known=known))
        rows.append(
            [
                f"{hours:g} h" if hours >= 1 else f"{hours * 60:.0f} min",
                "another" if copy else "same",
                title,
                f"{fmean(each.lag for each in found) * 100:.1f} %",
                f"{max(each.lag for each in found) * 100:.1f} %",
                f"{fmean(each.cutover for each in found):.0f} s",
                *(
                    f"{fmean(getattr(each, name) for each in found):.0f}"
                    for name in ("transitions", "invocations", "rds_calls")
                ),
                f"{fmean(each.reads + each.writes for each in found):.0f}",
                f"${fmean(each.dollars for each in found):.4f}",
            ]
        )
    header = [
        "restore",
        "region",
        "known",
        "mean lag",
        "worst lag",
        "cutover",
        "transitions",
        "invocations",
        "RDS",
        "DynamoDB",
        "cost",
    ]
    lines = [
        "The real definition over the real steps against a virtual clock;",
        f"{SAMPLES} restores a row, every wait ±{SPREAD:.0%}.",
        "From another region the snapshot is copied first, which takes half of the time.",
        "Lag: from AWS's “ready” to the next step, as a share of the wait.",
        f"Cutover: from the first of six renames of {RENAME_SECONDS} s ±{SPREAD:.0%} each to the last.",
        "Known: nothing, what the target's last five restores took, or the percent that AWS reports.",
        "Cost: Step Functions, Lambda (256 MB, arm64, one second a call), DynamoDB; no free tiers.",
        "",
        *report.table(header, rows),
    ]
    return "\n".join(lines)

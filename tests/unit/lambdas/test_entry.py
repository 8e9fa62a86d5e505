"""The shared entry, and the handlers as Lambda imports them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from aurora_restore import entry
from aurora_restore.errors import InvalidSettings, RetryableAwsError, VerificationFailed
from tests.unit.lambdas.pipeline import OPERATION, Pipeline

HANDLERS = Path(entry.__file__).parent / "handlers"
EVENT = {"request": {}, "execution": {"id": "arn:1", "name": OPERATION, "started_at": "2026-11-23T07:00:00Z"}}


@pytest.fixture(autouse=True)
def cold_start() -> None:
    entry.shared_context.cache_clear()


@pytest.mark.parametrize("name", sorted(path.stem for path in HANDLERS.glob("[!_]*.py")))
def test_a_handler_is_imported_without_configuration_and_names_what_is_missing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {})
    module = importlib.import_module(f"aurora_restore.handlers.{name}")
    with pytest.raises(InvalidSettings, match="DYNAMODB_TABLE_NAME: missing"):
        module.handler(EVENT, None)


def test_an_advancing_step_is_audited_at_its_start_and_at_its_end() -> None:
    pipeline = Pipeline()
    results = iter([{"done": False}, {"done": False}, {"done": True}])
    handle = entry.handler("Swap", lambda *_: next(results), advances="swap", context=lambda: pipeline.context)
    event: dict[str, Any] = EVENT
    for _ in range(3):
        event = {**event, "swap": handle(event, None)}
    assert [item["status"] for item in pipeline.store.events] == ["STARTED", "SUCCEEDED"]


def test_details_for_the_audit_do_not_enter_the_document() -> None:
    pipeline = Pipeline()
    handle = entry.handler("Verify", lambda *_: {"ok": 1, "audit": {"rows": 5}}, context=lambda: pipeline.context)
    assert handle(EVENT, None) == {"ok": 1}
    assert pipeline.store.events[-1]["details"] == {"rows": 5}


def test_the_steps_own_error_leaves_even_when_it_cannot_be_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline()

    def run(*_: Any) -> dict[str, Any]:
        monkeypatch.setattr(pipeline.store, "audit", refuse)
        raise VerificationFailed("1 of 2 checks failed.")

    def refuse(*_: Any) -> str:
        raise RetryableAwsError("put_item: Throttling.")

    with pytest.raises(VerificationFailed):
        entry.handler("Verify", run, context=lambda: pipeline.context)(EVENT, None)


def test_nothing_runs_that_cannot_be_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline()
    ran: list[int] = []

    def refuse(*_: Any) -> str:
        raise RetryableAwsError("put_item: Throttling.")

    def run(*_: Any) -> dict[str, Any]:
        ran.append(1)
        return {}

    monkeypatch.setattr(pipeline.store, "audit", refuse)
    with pytest.raises(RetryableAwsError):
        entry.handler("Swap", run, context=lambda: pipeline.context)(EVENT, None)
    assert ran == []

"""The emulator's own API under ``/_emulator/`` and, for every AWS call, counting, latency and injected faults."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from emulator import aurora, protocols
from emulator.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Faults:
    """Errors that the next calls of an action answer with."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[dict[str, Any]] = []

    def add(self, rule: dict[str, Any]) -> None:
        """Queue a rule: ``service``, ``action``, ``error_code``, and optionally ``status`` (400) and ``count`` (1)."""
        fault = {"status": 400, "count": 1, "message": "Injected by /_emulator/faults", **rule}
        if missing := {"service", "action", "error_code"} - fault.keys():
            raise ValueError(f"a fault needs {', '.join(sorted(missing))}")
        with self._lock:
            self._pending.append(fault)

    def clear(self) -> None:
        """Forget every rule."""
        with self._lock:
            self._pending.clear()

    def list(self) -> list[dict[str, Any]]:
        """The rules that still have calls to answer."""
        with self._lock:
            return [dict(fault) for fault in self._pending]

    def take(self, service: str, action: str) -> dict[str, Any] | None:
        """Use up one count of the first rule for this call; None when the call should go through."""
        with self._lock:
            for fault in self._pending:
                if (fault["service"], fault["action"]) == (service, action):
                    fault["count"] -= 1
                    if fault["count"] <= 0:
                        self._pending.remove(fault)
                    return fault
        return None


faults = Faults()
calls: Counter[str] = Counter()


class Gateway:
    """ASGI middleware in front of ministack."""

    def __init__(self, inner: Application, settings: Settings) -> None:
        self._inner = inner
        self._settings = settings
        self._latency_ms = 0.0
        self._scales = {"wait_scale": settings.wait_scale, "aurora_scale": settings.aurora_scale}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer ``/_emulator/``; let everything else through, once counted, delayed and not chosen to fail."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        body, replay = await _read_body(receive)
        if scope["path"].startswith("/_emulator/"):
            status, value = self._own_api(scope["method"], scope["path"].removeprefix("/_emulator/"), body)
            await _answer(send, status, {"content-type": "application/json"}, json.dumps(value).encode())
            return
        fault = await self._before(protocols.identify(scope, body))
        if fault:
            await _answer(send, *fault)
        else:
            await self._inner(scope, replay, send)

    async def _before(self, call: protocols.Call | None) -> tuple[int, dict[str, str], bytes] | None:
        """Count and delay an AWS call; returns the answer of a fault that was injected for it."""
        if call is None:
            return None
        calls[f"{call.service}.{call.action}"] += 1
        if self._latency_ms:
            await asyncio.sleep(self._latency_ms / 1000)
        fault = faults.take(call.service, call.action)
        return (fault["status"], *call.error(fault["error_code"], fault["message"])) if fault else None

    def _own_api(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        try:
            return self._route(method, path, json.loads(body or b"{}"))
        except (ValueError, KeyError, TypeError) as error:
            return 400, {"error": f"{method} /_emulator/{path}: {error}"}

    def _route(self, method: str, path: str, values: dict[str, Any]) -> tuple[int, Any]:
        match method, path:
            case "GET", "health":
                return 200, {"pid": os.getpid(), "state_dir": str(self._settings.state_dir)}
            case "POST", "faults":
                faults.add(values)
            case "DELETE", "faults":
                faults.clear()
            case "POST", "latency":
                self._latency_ms = float(values["ms"])
            case "DELETE", "calls":
                calls.clear()
            case "POST", "config":
                self._scales |= set_scales(values)
            case ("GET", "faults" | "calls" | "latency" | "config"):
                pass
            case _:
                return 404, {"error": f"{method} /_emulator/{path} does not exist"}
        return 200, {
            "faults": faults.list(),
            "calls": dict(calls),
            "latency": {"ms": self._latency_ms},
            "config": self._scales,
        }[path]


def set_scales(values: dict[str, Any]) -> dict[str, float]:
    """Change ``wait_scale`` or ``aurora_scale`` of the running emulator; returns what was changed.

    Raises:
        ValueError: an unknown name, or a factor below zero.
    """
    from ministack.services import stepfunctions

    setters: dict[str, Callable[[float], None]] = {
        "wait_scale": lambda factor: setattr(stepfunctions, "_SFN_WAIT_SCALE", factor),
        "aurora_scale": aurora.set_scale,
    }
    if unknown := values.keys() - setters.keys():
        raise ValueError(f"unknown setting {', '.join(sorted(unknown))}; known are {', '.join(setters)}")
    factors = {name: float(value) for name, value in values.items()}
    if any(not 0 <= factor < float("inf") for factor in factors.values()):
        raise ValueError("a factor is a number from 0 up")
    for name, factor in factors.items():
        setters[name](factor)
    return factors


async def _read_body(receive: Receive) -> tuple[bytes, Receive]:
    """The whole body, and a ``receive`` that gives the same messages again to the application behind."""
    messages: list[Message] = []
    while True:
        messages.append(await receive())
        if messages[-1]["type"] != "http.request" or not messages[-1].get("more_body"):
            break
    body = b"".join(message.get("body", b"") for message in messages)

    async def replay() -> Message:
        return messages.pop(0) if messages else await receive()

    return body, replay


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    headers = {**headers, "content-length": str(len(body))}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})

"""Where this package meets ministack: it takes the place of ministack's RDS module and adds its control paths.

ministack loads service modules by name on first use; what is loaded already, it uses. Both names used here are private
to ministack, so its version is pinned and the conformance tests say when they move.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from ministack import app
from ministack.core.responses import get_account_id, get_region

from . import control
from .actions import Call, perform
from .errors import RdsError
from .protocol import Response, operation, parse_request, render_error, render_result
from .world import World

_log = logging.getLogger("aurora")


class RdsService:
    """What ministack expects of a service module."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle_request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Mapping[str, Sequence[str]]
    ) -> Response:
        """Answer one request of the RDS API, off the event loop."""
        return await asyncio.to_thread(self._answer, body, query_params)

    def _answer(self, body: bytes, query_params: Mapping[str, Sequence[str]]) -> Response:
        fields = dict(query_params) | parse_qs(body.decode("utf-8", errors="replace"), keep_blank_values=True)
        world = self._world
        try:
            action = operation(fields.get("Action", [""])[0])
            with world.lock:
                call = Call(world, world.realm(get_account_id(), get_region()), parse_request(action, fields))
                answer = render_result(action, perform(action.name, call))
                world.start_changes()
            return answer
        except RdsError as error:
            return render_error(error)
        except Exception:
            _log.exception("an RDS request failed in the emulator itself")
            return render_error(RdsError("InternalFailure", "The Aurora emulator failed: see its log."))

    def reset(self) -> None:
        """ministack's reset: forget everything."""
        self._world.reset()

    def get_state(self) -> dict[str, Any]:
        """ministack's persistence: database servers are not persisted."""
        return {}


def attach(world: World) -> None:
    """Send ministack's RDS and /_aurora/ requests to `world`."""
    app._loaded_modules["rds"] = RdsService(world)
    inner = app._handle_post_body_shortcuts

    async def with_controls(
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, list[str]],
        request_id: str,
    ) -> Any:
        if not path.startswith(control.PREFIX):
            return await inner(method, path, headers, body, query_params, request_id)
        account = query_params.get("account", [get_account_id()])[0]
        region = query_params.get("region", [get_region()])[0]
        return await asyncio.to_thread(control.handle, world, world.realm(account, region), path, body)

    app._handle_post_body_shortcuts = with_controls

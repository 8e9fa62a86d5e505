"""A Task that waits for a callback fails when its function does, and takes its time-out from the document.

ministack goes on waiting when the function that should have passed the token on has failed, and knows
``TimeoutSeconds`` only. Amazon States Language, "Timeouts"; Step Functions Developer Guide, "Wait for a Callback with
Task Token".
"""

from __future__ import annotations

import contextvars
from typing import Any

from ministack.services import stepfunctions

from emulator.settings import Settings

_token: contextvars.ContextVar[str] = contextvars.ContextVar("token", default="")


def apply(settings: Settings) -> None:
    """Replace the run of a Task, its wait for the callback, and the call of a function by it."""
    del settings
    execute_task = stepfunctions._execute_task
    invoke_with_callback = stepfunctions._invoke_with_callback
    call_lambda = stepfunctions._call_lambda

    def execute(state: dict[str, Any], document: Any, execution: Any, context: Any) -> Any:
        if "TimeoutSecondsPath" in state:
            seconds = stepfunctions._resolve_path(state["TimeoutSecondsPath"], document)
            state = {**state, "TimeoutSeconds": seconds}
        return execute_task(state, document, execution, context)

    def invoke(resource: str, parameters: Any, token: str, state: dict[str, Any]) -> Any:
        reset = _token.set(token)
        try:
            return invoke_with_callback(resource, parameters, token, state)
        finally:
            _token.reset(reset)

    def call(reference: str, event: Any) -> Any:
        try:
            return call_lambda(reference, event)
        except stepfunctions._ExecutionError as error:
            if waiting := stepfunctions._task_tokens.get(_token.get()):
                waiting["error"] = {"Error": error.error, "Cause": error.cause}
                waiting["event"].set()
            raise

    stepfunctions._execute_task = execute
    stepfunctions._invoke_with_callback = invoke
    stepfunctions._call_lambda = call

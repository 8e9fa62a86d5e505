"""Definitions are checked before they are stored, and by ValidateStateMachineDefinition; ministack accepts all."""

from __future__ import annotations

from typing import Any

from ministack.services import stepfunctions

from emulator import asl
from emulator.settings import Settings


def apply(settings: Settings) -> None:
    """Replace the two validations. The first is the one that create and update call; its JSONata check stays."""
    del settings
    validate_jsonata = stepfunctions._validate_definition_jsonata

    def refusal(definition: str) -> str | None:
        mistakes = asl.check(definition)
        if mistakes:
            listed = [f"{mistake['code']}: {mistake['message']} at {mistake['location']}" for mistake in mistakes]
            return f"Invalid State Machine Definition: '{', '.join(listed)}'"
        found: str | None = validate_jsonata(definition)
        return found

    def validate(request: dict[str, Any]) -> Any:
        mistakes = asl.check(request.get("definition", ""))
        return stepfunctions.json_response(
            {"result": "FAIL" if mistakes else "OK", "diagnostics": mistakes, "truncated": False}
        )

    stepfunctions._validate_definition_jsonata = refusal
    stepfunctions._validate_state_machine_definition = validate

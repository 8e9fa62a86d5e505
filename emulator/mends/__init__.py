"""What ministack gets wrong for this project, one module per mend.

A mend replaces private names of the pinned release, which is why :mod:`emulator.server` refuses any other. Each has a
conformance test in ``tests/integration/emulator``, and can be left out
(:attr:`emulator.settings.Settings.without_mends`): the tests ask in this way whether a newer release still needs it.
"""

from __future__ import annotations

import importlib

from emulator.settings import Settings

NAMES = (
    "lambda_runtime",
    "executions",
    "error_handling",
    "task_invocations",
    "task_callbacks",
    "metrics",
    "alarms",
    "nat_gateways",
    "vpc_endpoints",
    "security_groups",
    "round_trips",
    "definitions",
    "rds_authorization",
    "states_authorization",
    "managed_keys",
    "shared_keys",
    "policy_simulation",
    "secure_transport",
    "tag_index",
)


def apply(settings: Settings) -> None:
    """Apply every mend; called once, before the server starts."""
    for name in NAMES:
        if name not in settings.without_mends:
            importlib.import_module(f"emulator.mends.{name}").apply(settings)

"""A call that names an alias or a version of a state machine is authorized on the state machine itself.

ministack takes the ARN as the caller gave it, so that a policy on an alias's ARN, which allows nothing on AWS, would
work. Step Functions Developer Guide, "Authorization for versions and aliases in Step Functions workflows".
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions

from emulator.settings import Settings

_UNQUALIFIED = 7  # parts of arn:aws:states:<region>:<account>:stateMachine:<name>


def apply(settings: Settings) -> None:
    """Replace the naming of state machines."""
    del settings
    extract_resource_arn = iam_actions.extract_resource_arn

    def extract(service: str, *request: Any) -> Any:
        arn = extract_resource_arn(service, *request)
        if service == "states" and ":stateMachine:" in arn:
            return ":".join(arn.split(":")[:_UNQUALIFIED])
        return arn

    iam_actions.extract_resource_arn = extract

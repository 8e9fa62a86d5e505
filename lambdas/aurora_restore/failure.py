"""Reading what Step Functions caught: `{"Error", "Cause"}` -> the typed error behind it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aurora_restore import errors

CODED = re.compile(r"\[(?P<code>AR\d{3})\] (?P<message>.*?) Remedy: (?P<remedy>.*)", re.DOTALL)


@dataclass(frozen=True)
class Failure:
    """`error` is the class name, `code` stable or empty for what is not ours."""

    error: str
    code: str
    message: str
    remedy: str

    @property
    def text(self) -> str:
        return f"[{self.code}] {self.message}" if self.code else self.message


def read_failure(caught: Any) -> Failure:
    """The failure behind the document's `error`.

    Lambda's Cause is JSON with `errorMessage`; for a task timeout or a crash of the runtime it is plain text or absent.
    """
    caught = caught if isinstance(caught, Mapping) else {}
    error = str(caught.get("Error") or "UnknownError")
    message = _message(str(caught.get("Cause") or ""))
    coded = CODED.fullmatch(message)
    if coded:
        return Failure(error, coded["code"], coded["message"], coded["remedy"])
    kind = getattr(errors, error, None)
    if isinstance(kind, type) and issubclass(kind, errors.RestoreError):  # raised by the state machine itself
        return Failure(error, kind.code.value, str(kind.__doc__).partition("\n")[0], kind.default_remedy)
    # Not one of ours, so its text may hold anything: name the kind and point to the logs.
    return Failure(
        error,
        "",
        f"{error}: a step ended without a typed error.",
        "Look at the failed step's log group, under the operation_id.",
    )


def _message(cause: str) -> str:
    try:
        content = json.loads(cause)
    except ValueError:
        return cause
    return str(content.get("errorMessage", "")) if isinstance(content, Mapping) else cause

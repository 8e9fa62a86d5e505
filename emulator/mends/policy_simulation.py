"""SimulatePrincipalPolicy answers for every resource, with the context that the caller gives.

ministack looks at the first resource only, and at no context. IAM API Reference, SimulatePrincipalPolicy.
"""

from __future__ import annotations

import contextvars
import itertools
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import iam

from emulator.settings import Settings

_DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny"}
_asked: contextvars.ContextVar[tuple[list[str], dict[str, str]]] = contextvars.ContextVar("asked")


def apply(settings: Settings) -> None:
    """Replace the reading of the parameters, and the making of the results."""
    del settings
    extract = iam._extract_simulate_params

    def extract_all(params: Any) -> Any:
        keys = _listed(params, "ContextEntries.member.{}.ContextKeyName")
        values = _listed(params, "ContextEntries.member.{}.ContextKeyValues.member.1")
        context = {key.lower(): value for key, value in zip(keys, values, strict=True)}
        _asked.set((list(_listed(params, "ResourceArns.member.{}")) or ["*"], context))
        return extract(params)

    iam._extract_simulate_params = extract_all
    iam._build_simulate_results_real = _results


def _results(actions: list[str], _resource: str, principal: str, account: str, policies: Any) -> str:
    resources, context = _asked.get()
    members = []
    for action, resource in itertools.product(actions, resources):
        asked = iam_evaluator.EvalContext(
            principal_arn=principal,
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=get_region(),
            service_context=context,
        )
        decision = _DECISIONS.get(iam_evaluator.evaluate(asked, policies).decision, "implicitDeny")
        members.append(
            f"<member><EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>{escape(resource)}"
            f"</EvalResourceName><EvalDecision>{decision}</EvalDecision></member>"
        )
    return "".join(members)


def _listed(params: Any, name: str) -> Iterator[str]:
    for number in itertools.count(1):
        value = iam._p(params, name.format(number))
        if not value:
            return
        yield value

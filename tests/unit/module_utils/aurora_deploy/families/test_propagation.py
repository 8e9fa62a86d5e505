from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from aurora_deploy.families import functions, propagation, state_machine
from aurora_deploy.families.propagation import once_propagated


def error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateFunction")


UNASSUMABLE = error("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")


class Call:
    """Fails as often as told, then answers; time passes only while it is waited for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failures: int, failure: ClientError) -> None:
        self.failures, self.failure, self.now, self.calls = failures, failure, 0.0, 0
        monkeypatch.setattr(propagation.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(propagation.time, "sleep", self._sleep)

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.failure
        return "made"

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_call_is_repeated_until_the_role_has_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call(monkeypatch, 3, UNASSUMABLE)
    assert once_propagated(call, functions._not_yet_usable) == "made"
    assert call.calls == 4


def test_patience_ends_with_the_last_error(monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call(monkeypatch, 1000, UNASSUMABLE)
    with pytest.raises(ClientError, match="cannot be assumed"):
        once_propagated(call, functions._not_yet_usable, seconds=20)
    assert 2 < call.calls < 20
    assert call.now <= 20


def test_other_errors_are_raised_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call(monkeypatch, 1, error("InvalidParameterValueException", "The runtime parameter of python2.7 is gone."))
    with pytest.raises(ClientError):
        once_propagated(call, functions._not_yet_usable)
    assert call.calls == 1


@pytest.mark.parametrize(
    ("message", "pending"),
    [
        ("Neither the global service principal nor the regional one is authorized to assume the role.", True),
        ("The state machine IAM Role is not authorized to access the Log Destination", True),
        ("User: arn:aws:iam::1:user/me is not authorized to perform: states:CreateStateMachine", False),
    ],
)
def test_step_functions_refusal_of_a_role_passes_but_that_of_the_caller_does_not(message: str, pending: bool) -> None:
    assert state_machine._not_yet_assumable(error("AccessDeniedException", message)) is pending

"""The one exception of the emulated API."""

from __future__ import annotations


class RdsError(Exception):
    """An API error by the name of its shape in the RDS model, such as `DBClusterNotFoundFault`, or a common error code
    such as `InvalidParameterValue`. The protocol layer finds wire code and HTTP status for it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


def invalid_value(message: str) -> RdsError:
    """`InvalidParameterValue`: one parameter is wrong in itself."""
    return RdsError("InvalidParameterValue", message)


def invalid_combination(message: str) -> RdsError:
    """`InvalidParameterCombination`: the parameters contradict each other or the resource."""
    return RdsError("InvalidParameterCombination", message)

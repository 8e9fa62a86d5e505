"""The table of actions and what each gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import RdsError
from ..model import Realm
from ..world import World


@dataclass(frozen=True)
class Call:
    """One API call: the caller's realm and the parsed parameters."""

    world: World
    realm: Realm
    parameters: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter, or `default` where the caller left it out."""
        return self.parameters.get(name, default)


Action = Callable[[Call], dict[str, Any]]
_actions: dict[str, Action] = {}


def action(name: str) -> Callable[[Action], Action]:
    """Register a function as the API action `name`."""

    def register(function: Action) -> Action:
        _actions[name] = function
        return function

    return register


def perform(name: str, call: Call) -> dict[str, Any]:
    """Run an action. Raises RdsError, `InvalidAction` for one that is not emulated."""
    if name not in _actions:
        raise RdsError("InvalidAction", f"The Aurora emulator does not offer {name}.")
    return _actions[name](call)

"""What one call's worth of undo has found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aurora_restore.errors import ResourceBusy, ResourceMissing


@dataclass
class Progress:
    """`waiting` names what still has to happen, `trouble` what keeps it from happening until somebody helps.

    `away` says that the target is not reachable under its name for as long as that lasts: it must not be given up.
    """

    undone: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    away: bool = False

    def delete(self, delete: Callable[[], None], name: str) -> None:
        """Ask for a deletion; whether it is through is seen at the next look."""
        try:
            delete()
        except ResourceMissing:
            return
        except ResourceBusy as error:  # still being created, or members left: not yet
            self.waiting.append(f"{name}: {error.aws_code}")
            return
        self.waiting.append(f"{name} is being deleted")

    def stuck(self, what: str) -> None:
        """It may yet go on, for example once a quota was raised: so it is told, and looked at again."""
        self.waiting.append(what)
        self.trouble.append(what)

"""Time as the emulator lives it: AWS's delays, scaled by one number that may change while somebody waits."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime


def now() -> datetime:
    """The current time, aware, in UTC, in milliseconds: what is described can be given back as it is."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Clock:
    """Scales delays: 0 = none, 1 = AWS's own seconds."""

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self._changed = threading.Condition()
        self._closed = False

    def set_scale(self, scale: float) -> None:
        """Use `scale` from now on; running waits are recomputed from their start. Raises ValueError below 0."""
        if scale < 0:
            raise ValueError(f"the Aurora scale is {scale}: give 0 or more")
        with self._changed:
            self._scale = scale
            self._changed.notify_all()

    def close(self) -> None:
        """Let every running wait end at once."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def fraction(self, started: float, seconds: float) -> float:
        """How much (0 to 1) of a delay of `seconds` has passed since `started` (time.monotonic())."""
        total = seconds * self._scale
        return 1.0 if total <= 0 else min(1.0, (time.monotonic() - started) / total)

    def wait(self, started: float, seconds: float, cancelled: threading.Event | None = None) -> None:
        """Sleep until `seconds`, scaled, have passed since `started`, or `cancelled` is set."""
        with self._changed:
            while not self._closed and not (cancelled and cancelled.is_set()):
                remaining = started + seconds * self._scale - time.monotonic()
                if remaining <= 0:
                    return
                # An Event cannot notify this condition, so look at it a few times a second.
                self._changed.wait(min(remaining, 0.2) if cancelled else remaining)

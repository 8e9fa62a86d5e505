"""The base class of the runbooks' action plugins: arguments and connection in, lines for the operator out."""

from __future__ import annotations

import datetime
from typing import Any

from ansible.utils.display import Display

from aurora_deploy.action import OurAction
from aurora_deploy.clients import Aws
from aurora_deploy.errors import AWS_ERRORS, DeployError, explain
from aurora_deploy.runbook.text import UTC


class RunbookAction(OurAction):
    """Validates the arguments, connects, and turns the errors of `perform` into one sentence that names the fix."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module; the result always has `changed`."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        args = self.arguments()
        try:
            return {**result, "changed": False, **self.perform(args, self.connect(task_vars))}
        except (*AWS_ERRORS, DeployError) as error:
            message = explain(error, str(self._task.get_name() or self._task.action))
            return {**result, "changed": False, "failed": True, "msg": message}

    def perform(self, args: dict[str, Any], aws: Aws) -> dict[str, Any]:
        """Do the work of the module; returns the result.

        :raises DeployError: with a message that says what to do.
        """
        raise NotImplementedError

    @property
    def check(self) -> bool:
        """True in check mode."""
        return bool(self._task.check_mode)

    @staticmethod
    def say(text: str, *, bad: bool = False) -> None:
        """Print a line now. A worker's Display hands it to the controller's process, which prints it at once."""
        Display().display(text, color="red" if bad else None)

    @staticmethod
    def now() -> datetime.datetime:
        """The current time, in UTC."""
        return datetime.datetime.now(UTC)

"""Entry point of the module aurora_restore_execution; it runs in the controller's worker."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

_REPOSITORY = Path(__file__).resolve().parents[1]
# Ansible puts module_utils/ on the path of modules only; lambdas/ holds the one schema of a request.
sys.path.extend([str(_REPOSITORY / "module_utils"), str(_REPOSITORY / "lambdas")])

from aurora_deploy.clients import Aws  # noqa: E402
from aurora_deploy.errors import DeployError  # noqa: E402
from aurora_deploy.runbook.abort import Abort  # noqa: E402
from aurora_deploy.runbook.action import RunbookAction  # noqa: E402
from aurora_deploy.runbook.execution import StateMachine, start  # noqa: E402
from aurora_deploy.runbook.follow import Follower, LostTheExecution  # noqa: E402
from aurora_deploy.runbook.history import Line  # noqa: E402
from aurora_deploy.runbook.later import resume  # noqa: E402
from aurora_deploy.runbook.outcome import failure_text, summary, undone  # noqa: E402
from aurora_deploy.runbook.permissions import findings  # noqa: E402
from aurora_deploy.runbook.plan import plan_lines  # noqa: E402
from aurora_deploy.runbook.request import (  # noqa: E402
    assemble,
    needs_approval,
    new_operation_id,
    overrides,
    rollback_request,
)
from aurora_restore.request import validate  # noqa: E402


class ActionModule(RunbookAction):
    """Starts, follows, stops, resumes or rolls back one operation."""

    def perform(self, args: dict[str, Any], aws: Aws) -> dict[str, Any]:
        """Dispatch on `state`."""
        machine = StateMachine(args["state_machine_arn"], args["alias"])
        if args["state"] == "started":
            return self._start(args, aws, machine)
        if not args["operation"]:
            raise DeployError("no operation was named. Fix: add -e operation=<id>; playbooks/status.yml lists them")
        ways = {
            "rolled_back": self._roll_back,
            "resumed": self._resume,
            "followed": self._follow,
            "stopped": self._stop,
        }
        return ways[args["state"]](args, aws, machine)

    def _start(self, args: dict[str, Any], aws: Aws, machine: StateMachine) -> dict[str, Any]:
        operation = args["operation"] or new_operation_id(self.now())
        request = assemble(args["targets"], args["target"], overrides(args), operation_id=operation)
        operation = str(request["operation_id"])
        if needs_approval(request):
            request["requested_by"] = aws.client("sts").get_caller_identity()["Arn"]
        mistakes = validate(request)
        if mistakes:
            listed = "\n".join(f"  {mistake}" for mistake in mistakes)
            message = (
                f"The request for {args['target']} is not valid, nothing was started. Correct these paths:\n{listed}"
            )
            return {"failed": True, "msg": message, "mistakes": mistakes}
        result = {"operation": operation, "execution_arn": machine.execution_arn(operation), "request": request}
        changes = not request.get("dry_run")
        if self.check:
            self.say(f"The request is valid. Would start {operation} through {machine.qualified}.")
            return {**result, "changed": changes}
        started = start(aws, machine, request)
        return {**result, "changed": started and changes}

    def _roll_back(self, args: dict[str, Any], aws: Aws, machine: StateMachine) -> dict[str, Any]:
        """Every call is a new operation: the pipeline itself refuses to roll back twice."""
        operation = new_operation_id(self.now())
        request = rollback_request(aws, machine, args["operation"], operation)
        result = {"operation": operation, "execution_arn": machine.execution_arn(operation), "request": request}
        if self.check:
            self.say(f"Would start {operation}, which rolls {args['operation']} back, through {machine.qualified}.")
        else:
            start(aws, machine, request)
        return {**result, "changed": True}

    def _resume(self, args: dict[str, Any], aws: Aws, machine: StateMachine) -> dict[str, Any]:
        name = resume(aws, machine, args["state_table"], args["operation"], check=self.check)
        if self.check:
            self.say(f"Would start {name}, which goes on with {args['operation']}, through {machine.qualified}.")
        return {"operation": name, "execution_arn": machine.execution_arn(name), "changed": True}

    def _follow(self, args: dict[str, Any], aws: Aws, machine: StateMachine) -> dict[str, Any]:
        operation = args["operation"]
        arn = machine.execution_arn(operation)
        result = {"operation": operation, "execution_arn": arn}
        if self.check:
            return result
        self.say(f"Following {operation}. Ctrl-C stops the following, not the restore: follow again with")
        self.say(f"  ansible-playbook playbooks/restore.yml -i <inventory> -e operation={operation}")
        self.say(f"or stop and undo it with playbooks/abort.yml -i <inventory> -e operation={operation}")

        def tell(line: Line) -> None:
            self.say(str(line), bad=line.bad)

        try:
            outcome = Follower(aws.client("stepfunctions"), arn, tell, now=self.now, sleep=time.sleep).run()
        except LostTheExecution as error:
            raise DeployError(
                f"{error}. The restore goes on. Fix: follow it again with -e operation={operation}"
            ) from error
        result |= {"status": outcome.status, "seconds": outcome.seconds}
        if outcome.status == "SUCCEEDED":
            self.say(summary(outcome, operation))
            plan = outcome.document["plan"]
            if plan["dry_run"]:
                told, refused = findings(aws, machine.name_prefix, plan)
                for text in [*plan_lines(plan, args["prices"]), *(f"  {'roles':<13} {line}" for line in told)]:
                    self.say(text)
                if refused:
                    raise DeployError(
                        f"AccessDenied (AR303): {'; '.join(refused)}. "
                        "Fix: deploy the roles (site.yml --tags iam), or lift what bounds them"
                    )
            return {**result, "document": outcome.document}
        return {**result, "failed": True, "msg": failure_text(outcome, operation, args["look_at"] or arn)}

    def _stop(self, args: dict[str, Any], aws: Aws, machine: StateMachine) -> dict[str, Any]:
        operation = args["operation"]
        abort = Abort(
            aws=aws,
            machine=machine,
            operation=operation,
            state_table=args["state_table"],
            tell=self.say,
            now=self.now,
            sleep=time.sleep,
        )
        result = {"operation": operation, "execution_arn": machine.execution_arn(operation)}
        if self.check:
            status = abort.found()["status"]
            stops = "stop the execution and " if status == "RUNNING" else ""
            undo = "leave the rest as it is" if args["pause"] else f"undo what {operation} did"
            return {**result, "status": status, "changed": True, "msg": f"Would {stops}{undo}"}
        ended = abort.run(args["cause"], pause=args["pause"])
        if args["pause"]:
            message = f"Operation {operation} is {ended['status']}; resume.yml goes on, abort.yml undoes it"
            return {**result, **ended, "changed": ended["stopped"], "msg": message}
        done = undone(ended["document"]) or ["nothing had to be undone"]
        message = "\n".join(
            [f"Operation {operation} is {ended['status']} and cleaned up", *(f"  {line}" for line in done)]
        )
        return {**result, **ended, "changed": True, "msg": message}

"""A Task's call of a function: made as the state machine's role, throttled and refused as by Lambda.

ministack calls the function whatever the role may do, and reports a throttled call as ``Lambda.Unknown``. Error names
are those of the Step Functions Developer Guide, "Handling transient Lambda service exceptions".
"""

from __future__ import annotations

from typing import Any

from ministack.core import arn as arns
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, stepfunctions

from emulator import control
from emulator.mends import executions
from emulator.settings import Settings

_ACTION = "lambda:InvokeFunction"


def apply(settings: Settings) -> None:
    """Replace the call of a function by a Task."""
    call_lambda = stepfunctions._call_lambda
    execute = lambda_svc._execute_function_with_config_scope

    def call(reference: str, event: Any) -> Any:
        if settings.enforce_iam:
            _authorize(reference)
        if fault := control.faults.take("lambda", "InvokeFunction"):
            raise stepfunctions._ExecutionError(f"Lambda.{fault['error_code']}", fault["message"])
        return call_lambda(reference, event)

    def execute_and_name_throttles(func: dict[str, Any], event: Any) -> Any:
        result = execute(func, event)
        if result.get("throttle"):
            result["body"].update(
                errorType="Lambda.TooManyRequestsException", errorMessage=result["body"].get("message", "")
            )
        return result

    stepfunctions._call_lambda = call
    lambda_svc._execute_function_with_config_scope = execute_and_name_throttles


def _authorize(reference: str) -> None:
    role = executions.role_arn.get()
    account, region = get_account_id(), get_region()
    resource = reference if reference.startswith("arn:") else f"arn:aws:lambda:{region}:{account}:function:{reference}"
    role_name = arns.parse_arn(role).resource.rpartition("/")[2]
    principal = f"arn:aws:sts::{account}:assumed-role/{role_name}/states"
    context = iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole",
        principal_account=account,
        action=_ACTION,
        resource_arn=resource,
        region=region,
    )
    verdict = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(role_name, account))
    if verdict.decision != "Allow":
        raise stepfunctions._ExecutionError(
            "Lambda.AWSLambdaException",
            f"User: {principal} is not authorized to perform: {_ACTION} on resource: {resource} because no "
            f"identity-based policy allows the {_ACTION} action (Service: Lambda, Status Code: 403)",
        )

"""Small things that were put and did not come back: each would look like drift to a deployment that compares.

Facts from the API references: CloudWatch Logs AssociateKmsKey and DisassociateKmsKey, IAM RoleDetail, SNS Subscribe,
Secrets Manager ListSecrets, Step Functions CreateStateMachine, UpdateStateMachine and PublishStateMachineVersion.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch_logs, iam, secretsmanager, sns, stepfunctions

from emulator.settings import Settings

Handler = Callable[[dict[str, Any]], Any]

_CONFIRMED_BY_MAIL = {"email", "email-json"}


def apply(settings: Settings) -> None:
    """Replace the handlers that lose something."""
    del settings
    _mend_log_group_keys()
    details = "GetAccountAuthorizationDetails"
    iam._IAM_HANDLERS[details] = _with_boundaries(iam._IAM_HANDLERS[details])
    secretsmanager._list_secrets = _with_keys(secretsmanager._list_secrets)
    sns._subscribe = _unconfirmed(sns._subscribe)
    sns._list_subscriptions_by_topic = _hiding_unconfirmed(sns._list_subscriptions_by_topic)
    sns._list_subscriptions = _hiding_unconfirmed(sns._list_subscriptions)
    stepfunctions._create_state_machine = _keeping_tracing(stepfunctions._create_state_machine)
    stepfunctions._update_state_machine = _keeping_tracing(stepfunctions._update_state_machine)
    stepfunctions._publish_state_machine_version = _once_a_revision(stepfunctions._publish_state_machine_version)


def _mend_log_group_keys() -> None:
    handle_request = cloudwatch_logs.handle_request

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action not in ("AssociateKmsKey", "DisassociateKmsKey"):
            return await handle_request(method, path, headers, body, query)
        request = json.loads(body)
        group = cloudwatch_logs._log_groups.get(request.get("logGroupName", ""))
        if group is None:
            return cloudwatch_logs.error_response_json(
                "ResourceNotFoundException", "The specified log group does not exist.", 400
            )
        group["kmsKeyId"] = request["kmsKeyId"] if action == "AssociateKmsKey" else None
        return cloudwatch_logs.json_response({})

    cloudwatch_logs.handle_request = handle


def _with_boundaries(details: Handler) -> Handler:
    """RoleDetail names the role's permissions boundary."""

    def answer(params: dict[str, Any]) -> Any:
        status, headers, body = details(params)
        for name, role in iam._roles.items():
            if boundary := role.get("PermissionsBoundary"):
                shown = (
                    f"<RoleName>{name}</RoleName><PermissionsBoundary>"
                    "<PermissionsBoundaryType>Policy</PermissionsBoundaryType>"
                    f"<PermissionsBoundaryArn>{boundary}</PermissionsBoundaryArn></PermissionsBoundary>"
                )
                body = body.replace(f"<RoleName>{name}</RoleName>".encode(), shown.encode(), 1)
        return status, headers, body

    return answer


def _with_keys(list_secrets: Handler) -> Handler:
    def answer(request: dict[str, Any]) -> Any:
        status, headers, body = list_secrets(request)
        listing = json.loads(body)
        for entry in listing.get("SecretList", []):
            if key := secretsmanager._secrets[entry["Name"]].get("KmsKeyId"):
                entry["KmsKeyId"] = key
        return status, headers, json.dumps(listing).encode()

    return answer


def _unconfirmed(subscribe: Handler) -> Handler:
    """A mail subscription waits for its reader's click, which never comes here: it stays pending."""

    def answer(params: dict[str, Any]) -> Any:
        status, headers, body = subscribe(params)
        if status != 200 or sns._p(params, "Protocol") not in _CONFIRMED_BY_MAIL:
            return status, headers, body
        topic = sns._topics[sns._p(params, "TopicArn")]
        for subscription in topic["subscriptions"]:
            if subscription["protocol"] in _CONFIRMED_BY_MAIL:
                subscription["confirmed"] = False
                subscription["attributes"]["PendingConfirmation"] = "true"
                body = body.replace(subscription["arn"].encode(), b"pending confirmation")
        return status, headers, body

    return answer


def _hiding_unconfirmed(list_subscriptions: Handler) -> Handler:
    """A listing shows ``PendingConfirmation`` in the place of the ARN until then."""

    def answer(params: dict[str, Any]) -> Any:
        status, headers, body = list_subscriptions(params)
        for topic in sns._topics.values():
            for subscription in topic["subscriptions"]:
                if not subscription["confirmed"]:
                    arn = f"<SubscriptionArn>{subscription['arn']}</SubscriptionArn>"
                    body = body.replace(arn.encode(), b"<SubscriptionArn>PendingConfirmation</SubscriptionArn>")
        return status, headers, body

    return answer


def _keeping_tracing(write: Handler) -> Handler:
    """Store ``tracingConfiguration``, and ``loggingConfiguration`` with the default that AWS fills in."""

    def answer(request: dict[str, Any]) -> Any:
        logging = request.get("loggingConfiguration")
        if logging is not None:
            logging.setdefault("includeExecutionData", False)
        status, headers, body = write(request)
        if status == 200:
            arn = json.loads(body).get("stateMachineArn") or request["stateMachineArn"]
            machine = stepfunctions._state_machines[arn]
            machine["tracingConfiguration"] = request.get(
                "tracingConfiguration", machine.get("tracingConfiguration", {"enabled": False})
            )
        return status, headers, body

    return answer


def _once_a_revision(publish: Handler) -> Handler:
    """Publishing a revision again gives the version it already has."""

    def answer(request: dict[str, Any]) -> Any:
        machine = stepfunctions._state_machines.get(request.get("stateMachineArn", "")) or {}
        for version in stepfunctions._state_machine_versions.values():
            same_machine = version["stateMachineArn"] == machine.get("stateMachineArn")
            if same_machine and version["stateMachineRevisionId"] == machine["revisionId"]:
                return stepfunctions.json_response(
                    {name: version[name] for name in ("stateMachineVersionArn", "creationDate")}
                )
        return publish(request)

    return answer

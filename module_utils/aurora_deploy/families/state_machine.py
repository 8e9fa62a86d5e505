"""The state machine: rendered, validated before anything changes, compared by meaning, published behind an alias."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from aurora_deploy.action import Run, Work
from aurora_deploy.clients import Aws
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family
from aurora_deploy.errors import DeployError, is_code
from aurora_deploy.families import asl
from aurora_deploy.families.propagation import once_propagated

CURRENT = "the current definition and settings"
"""What the alias has to run."""


def plan(run: Run) -> Iterator[Work]:
    """Declare the state machine."""
    args = run.args
    family = StateMachineFamily(run.aws, args["account_id"], args["alias"], args["keep_versions"])
    if run.absent:
        yield family, {args["name"]: None}
        return
    path = Path(args["definition"])
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DeployError(f"the definition {path} cannot be read: {error.strerror}. Fix: set its path") from error
    definition = asl.render(text, args["values"])
    asl.check(definition)
    family.declared, family.tag_keys = definition, args["tags"].keys()
    yield (
        family,
        {
            args["name"]: {
                "definition": asl.normal(definition),
                "role": args["role"],
                "type": "STANDARD",
                "logging": {
                    "level": args["log_level"],
                    "include_execution_data": args["log_execution_data"],
                    "log_group": args["log_group"],
                },
                "tracing": args["tracing"],
                "kms_key": run.lookup.key_arn(args["kms_key"]),
                "data_key_reuse_seconds": 300,
                "tags": args["tags"],
                "live": CURRENT,
            }
        },
    )


class StateMachineFamily(Family):
    """One item is one state machine with its alias. Tags that are not declared belong to others and stay."""

    label = "state machine"
    fixed = ("type",)
    fixed_remedy = "delete it, or deploy under another name_prefix"

    def __init__(self, aws: Aws, account: str, alias: str, keep_versions: int) -> None:
        super().__init__(aws)
        self.states: Any = aws.client("stepfunctions")
        self.declared: asl.State | None = None
        """The definition that AWS is asked to validate, in check mode too, when it differs from the existing one."""
        self.tag_keys: Collection[str] = ()
        """Our own tags; those that others gave the state machine are not read, so they stay."""
        self._account = account
        self._alias = alias
        self._keep = keep_versions

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        read = {name: self._read_one(self._arn(name)) for name in names}
        found = {name: attributes for name, attributes in read.items() if attributes is not None}
        if self.declared is not None and any(
            name not in found or found[name]["definition"] != self.declared for name in names
        ):
            self._validate(self.declared)
        return found

    def create(self, name: str, after: Attributes) -> None:
        parameters = {"name": name, "type": after["type"], "tags": _tags(after), **self._settings(after)}
        answer = once_propagated(
            lambda: self.states.create_state_machine(publish=True, **parameters), _not_yet_assumable
        )
        self._go_live(self._arn(name), answer["stateMachineVersionArn"])

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        arn = self._arn(name)
        if set(changed) - {"tags", "live"}:
            parameters = {"stateMachineArn": arn, **self._settings(after)}
            # A separate call to publish could still meet the definition of before.
            call = self.states.update_state_machine
            answer = once_propagated(lambda: call(publish=True, **parameters), _not_yet_assumable)
            self._go_live(arn, answer["stateMachineVersionArn"])
        elif "live" in changed:
            answer = self.states.publish_state_machine_version(stateMachineArn=arn)
            self._go_live(arn, answer["stateMachineVersionArn"])
        if "tags" in changed:
            self.states.tag_resource(resourceArn=arn, tags=_tags(after))

    def delete(self, name: str, before: Attributes) -> None:
        """Versions and aliases go with the machine; running executions are stopped by AWS first."""
        arn = self._arn(name)
        self.states.delete_state_machine(stateMachineArn=arn)
        gone = [{"state": "success", "matcher": "error", "expected": "StateMachineDoesNotExist"}]
        self.aws.wait("stepfunctions", "DescribeStateMachine", gone, delay=3, attempts=100, stateMachineArn=arn)

    def _arn(self, name: str) -> str:
        return f"arn:aws:states:{self.aws.region}:{self._account}:stateMachine:{name}"

    def _read_one(self, arn: str) -> Attributes | None:
        try:
            machine = self.states.describe_state_machine(stateMachineArn=arn)
        except self.states.exceptions.StateMachineDoesNotExist:
            return None
        if machine["status"] == "DELETING":
            raise DeployError("is being deleted. Fix: run again when its executions have stopped")
        tags = self.states.list_tags_for_resource(resourceArn=arn)["tags"]
        encryption = machine.get("encryptionConfiguration", {})
        return {
            **_comparable(machine),
            "type": machine["type"],
            "tracing": machine.get("tracingConfiguration", {}).get("enabled", False),
            "kms_key": encryption.get("kmsKeyId"),
            "data_key_reuse_seconds": encryption.get("kmsDataKeyReusePeriodSeconds"),
            "tags": {tag["key"]: tag["value"] for tag in tags if tag["key"] in self.tag_keys},
            "live": self._live(arn, _comparable(machine)),
        }

    def _live(self, arn: str, current: Attributes) -> str:
        """Say what the alias runs, by what its version holds."""
        try:
            alias = self.states.describe_state_machine_alias(stateMachineAliasArn=f"{arn}:{self._alias}")
        except self.states.exceptions.ResourceNotFound:
            return f"no alias {self._alias}"
        routes = alias["routingConfiguration"]
        if len(routes) > 1:
            return "split between versions " + ", ".join(_number(route["stateMachineVersionArn"]) for route in routes)
        version = self.states.describe_state_machine(stateMachineArn=routes[0]["stateMachineVersionArn"])
        return CURRENT if _comparable(version) == current else f"version {_number(version['stateMachineArn'])}"

    def _validate(self, definition: asl.State) -> None:
        answer = self.states.validate_state_machine_definition(definition=json.dumps(definition), type="STANDARD")
        if answer["result"] != "OK":
            found = [f"{item['location']}: {item['code']} {item['message']}" for item in answer["diagnostics"]]
            raise DeployError(f"AWS refuses the definition: {'; '.join(found)}. Fix: correct it; nothing was changed")

    def _settings(self, after: Attributes) -> dict[str, Any]:
        group = f"arn:aws:logs:{self.aws.region}:{self._account}:log-group:{after['logging']['log_group']}:*"
        return {
            "definition": json.dumps(after["definition"], indent=2),
            "roleArn": after["role"],
            "loggingConfiguration": {
                "level": after["logging"]["level"],
                "includeExecutionData": after["logging"]["include_execution_data"],
                "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}],
            },
            "tracingConfiguration": {"enabled": after["tracing"]},
            "encryptionConfiguration": {
                "type": "CUSTOMER_MANAGED_KMS_KEY",
                "kmsKeyId": after["kms_key"],
                "kmsDataKeyReusePeriodSeconds": after["data_key_reuse_seconds"],
            },
        }

    def _go_live(self, arn: str, version: str) -> None:
        """Move the alias to a version, and remove the versions beyond those to keep and those that aliases run."""
        routes = [{"stateMachineVersionArn": version, "weight": 100}]
        try:
            self.states.update_state_machine_alias(
                stateMachineAliasArn=f"{arn}:{self._alias}", routingConfiguration=routes
            )
        except self.states.exceptions.ResourceNotFound:
            self.states.create_state_machine_alias(name=self._alias, routingConfiguration=routes)
        listed = self.states.list_state_machine_versions(stateMachineArn=arn, maxResults=1000)["stateMachineVersions"]
        versions = sorted((item["stateMachineVersionArn"] for item in listed), key=lambda item: int(_number(item)))
        for old in versions[: -self._keep]:
            if old != version:
                self._delete_version(old)

    def _delete_version(self, arn: str) -> None:
        """Step Functions keeps a version that another alias runs, and so do we."""
        try:
            self.states.delete_state_machine_version(stateMachineVersionArn=arn)
        except ClientError as error:
            if not is_code(error, "ConflictException"):
                raise


def _comparable(machine: dict[str, Any]) -> Attributes:
    """Return what a version freezes: definition, role and logging."""
    logging = machine.get("loggingConfiguration", {})
    destinations = [item["cloudWatchLogsLogGroup"]["logGroupArn"] for item in logging.get("destinations", [])]
    return {
        "definition": asl.normal(json.loads(machine["definition"])),
        "role": machine["roleArn"],
        "logging": {
            "level": logging.get("level", "OFF"),
            "include_execution_data": logging.get("includeExecutionData", False),
            "log_group": destinations[0].removesuffix(":*").split(":log-group:")[-1] if destinations else None,
        },
    }


def _number(version_arn: str) -> str:
    return version_arn.rsplit(":", 1)[-1]


def _tags(after: Attributes) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in sorted(after["tags"].items())]


def _not_yet_assumable(error: ClientError) -> bool:
    """Step Functions refuses a role, or its right to the log group or the key, that IAM has not spread yet."""
    message = error.response["Error"].get("Message", "")
    return is_code(error, "AccessDeniedException", "KmsAccessDeniedException") and not message.startswith("User:")

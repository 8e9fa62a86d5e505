"""Lambda functions: only what changed is uploaded or configured, and every change is published behind the alias."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from typing import Any

from botocore.exceptions import ClientError

from aurora_deploy.action import Run, Work
from aurora_deploy.clients import Aws, together
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family
from aurora_deploy.errors import DeployError, is_code
from aurora_deploy.families.function_plan import CURRENT, Code, Placement, declare, versioned
from aurora_deploy.families.propagation import once_propagated
from aurora_deploy.tags import own, removed

_CODE = frozenset({"code_sha256", "architecture"})
_WAIT = {"Delay": 0.5, "MaxAttempts": 600}  # by GetFunction, of which Lambda takes 100 a second; of the rest 15
# Nothing is under way: a function that is being made refuses changes, one whose last change failed takes the next one
# (Lambda Developer Guide, "Lambda function states").
_QUIET = [
    {"state": "retry", "matcher": "path", "argument": "Configuration.State", "expected": "Pending"},
    {"state": "success", "matcher": "path", "argument": "Configuration.LastUpdateStatus", "expected": "Successful"},
    {"state": "success", "matcher": "path", "argument": "Configuration.LastUpdateStatus", "expected": "Failed"},
]


def plan(run: Run) -> Iterator[Work]:
    """Declare one function a step, and remove those of ours whose step is gone."""
    args = run.args
    asynchronous = [] if run.absent else [f"{args['name_prefix']}-{step}" for step in args["asynchronous"]]
    family = FunctionFamily(run.aws, args["alias"], args["keep_versions"], asynchronous)
    declared: dict[str, Attributes | None] = {f"{args['name_prefix']}-{step}": None for step in args["steps"]}
    if not run.absent:
        family.code = Code.load(args["package"])
        declared |= declare(args, family.code.sha256, run.lookup.key_arn(args["kms_key"]), _placement(run))
    declared |= dict.fromkeys(family.others(args["name_prefix"], declared))
    yield family, declared


def _placement(run: Run) -> Placement:
    """Take the given network, or find the one that the vpc role made by its names."""
    args, prefix = run.args, run.args["name_prefix"]
    if args["vpc_id"]:
        return Placement(args["vpc_id"], args["subnet_ids"], args["security_group_ids"])
    subnets = run.lookup.private_subnet_ids(prefix)
    group = run.lookup.security_group_id(f"{prefix}-functions")
    return Placement(run.lookup.vpc_id(f"{prefix}-vpc"), subnets, [group])


class FunctionFamily(Family):
    """One item is one function with its alias, concurrency and, if `asynchronous`, its settings for such calls."""

    label = "function"
    unordered = ("subnet_ids", "security_group_ids")

    def __init__(self, aws: Aws, alias: str, keep_versions: int, asynchronous: Collection[str]) -> None:
        super().__init__(aws)
        self.code = Code(b"", "")
        self.client: Any = aws.client("lambda")
        self._alias = alias
        self._keep = keep_versions
        self._asynchronous = asynchronous
        self._existing: set[str] | None = None

    def others(self, prefix: str, names: Collection[str]) -> list[str]:
        """Return the functions that begin with `prefix`, carry our Project tag, and are not in `names`."""
        strangers = [name for name in self._list() if name.startswith(f"{prefix}-") and name not in names]
        tags = together(lambda name: dict(self.client.get_function(FunctionName=name).get("Tags", {})), strangers)
        return sorted(name for name in strangers if tags[name].get("Project") == prefix)

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        """Ask ListFunctions which exist, or use the list that `others` just took.

        Of each, one call gives all but the alias, which takes another.
        """
        existing, self._existing = self._list(), None
        return together(self._read_one, [name for name in names if name in existing])

    def create(self, name: str, after: Attributes) -> None:
        parameters = {
            "FunctionName": name,
            "PackageType": "Zip",
            "Architectures": [after["architecture"]],
            "Code": {"ZipFile": self.code.content},
            "Tags": after["tags"],
            **_configuration(after),
        }
        once_propagated(lambda: self.client.create_function(**parameters), _not_yet_usable)
        self.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=_WAIT)
        if after["reserved_concurrency"] is not None:
            self._set_concurrency(name, after)
        self._publish(name)
        if name in self._asynchronous:
            self._set_async(name, after)

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        """A function takes one change at a time: wait after each, and also for one that a killed run left behind."""
        self.aws.wait("lambda", "GetFunction", _QUIET, delay=0.5, attempts=600, FunctionName=name)
        different = set(changed) & versioned(after).keys()
        if different - _CODE:
            parameters = {"FunctionName": name, **_configuration(after)}
            once_propagated(lambda: self.client.update_function_configuration(**parameters), _not_yet_usable)
            self._wait_updated(name)
        if different & _CODE:
            architectures = [after["architecture"]]
            self.client.update_function_code(FunctionName=name, ZipFile=self.code.content, Architectures=architectures)
            self._wait_updated(name)
        if "reserved_concurrency" in changed:
            self._set_concurrency(name, after)
        if "tags" in changed:
            if gone := removed(before["tags"], after["tags"]):
                self.client.untag_resource(Resource=before["_arn"], TagKeys=gone)
            self.client.tag_resource(Resource=before["_arn"], Tags=after["tags"])
        if different or "live" in changed:
            self._publish(name)
        if {"async_retries", "async_max_age"} & set(changed):
            self._set_async(name, after)  # belongs to the alias, so after it

    def delete(self, name: str, before: Attributes) -> None:
        """Versions, alias and settings go with the function."""
        self.client.delete_function(FunctionName=name)

    def _list(self) -> set[str]:
        if self._existing is None:
            self._existing = {item["FunctionName"] for item in self.aws.pages("lambda", "list_functions", "Functions")}
        return self._existing

    def _read_one(self, name: str) -> Attributes:
        function = self.client.get_function(FunctionName=name)
        current = _comparable(function["Configuration"])
        return {
            **current,
            **(self._read_async(name) if name in self._asynchronous else {}),
            "reserved_concurrency": function.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
            "tags": own(function.get("Tags", {})),
            "live": self._live(name, current),
            "_arn": function["Configuration"]["FunctionArn"],
        }

    def _read_async(self, name: str) -> Attributes:
        try:
            found = self.client.get_function_event_invoke_config(FunctionName=name, Qualifier=self._alias)
        except self.client.exceptions.ResourceNotFoundException:
            found = {}
        return {
            "async_retries": found.get("MaximumRetryAttempts"),
            "async_max_age": found.get("MaximumEventAgeInSeconds"),
        }

    def _live(self, name: str, current: Attributes) -> str:
        """Say what the alias runs, by what its version holds: as the alias notes, otherwise as Lambda describes it.

        A version never changes, nor is its number given again, so that a note which names both stays true.
        """
        try:
            alias = self.client.get_alias(FunctionName=name, Name=self._alias)
        except self.client.exceptions.ResourceNotFoundException:
            return f"no alias {self._alias}"
        number = alias["FunctionVersion"]
        if weights := alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
            return f"split between versions {', '.join(sorted({number, *weights}))}"
        if alias.get("Description") == _note(number, current):
            return CURRENT
        version = self.client.get_function_configuration(FunctionName=name, Qualifier=number)
        return CURRENT if number != "$LATEST" and _comparable(version) == current else f"version {number}"

    def _wait_updated(self, name: str) -> None:
        self.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=_WAIT)

    def _set_concurrency(self, name: str, after: Attributes) -> None:
        reserved = after["reserved_concurrency"]
        if reserved is None:
            self.client.delete_function_concurrency(FunctionName=name)
        else:
            self.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)

    def _set_async(self, name: str, after: Attributes) -> None:
        self.client.put_function_event_invoke_config(
            FunctionName=name,
            Qualifier=self._alias,
            MaximumRetryAttempts=after["async_retries"],
            MaximumEventAgeInSeconds=after["async_max_age"],
        )

    def _publish(self, name: str) -> None:
        """Publish a version (Lambda gives the last one where nothing changed), move the alias, remove old versions."""
        published = self.client.publish_version(FunctionName=name)
        version = published["Version"]
        self.client.get_waiter("published_version_active").wait(
            FunctionName=name, Qualifier=version, WaiterConfig={**_WAIT, "Delay": 1}
        )
        alias = {
            "FunctionName": name,
            "Name": self._alias,
            "FunctionVersion": version,
            "Description": _note(version, _comparable(published)),
        }
        try:
            self.client.update_alias(**alias, RoutingConfig={"AdditionalVersionWeights": {}})
        except self.client.exceptions.ResourceNotFoundException:
            self.client.create_alias(**alias)
        listed = self.aws.pages("lambda", "list_versions_by_function", "Versions", FunctionName=name)
        numbers = sorted(int(item["Version"]) for item in listed if item["Version"] != "$LATEST")
        for old in numbers[: -self._keep]:
            if str(old) != version:
                self._delete_version(name, str(old))

    def _delete_version(self, name: str, number: str) -> None:
        """Lambda keeps a version that another alias runs, and so do we."""
        try:
            self.client.delete_function(FunctionName=name, Qualifier=number)
        except ClientError as error:
            if not is_code(error, "ResourceConflictException"):
                raise


def _note(version: str, holds: Attributes) -> str:
    """Return what the alias says about the version that it runs, which "$LATEST" never is."""
    digest = hashlib.sha256(json.dumps(holds, sort_keys=True).encode()).hexdigest()
    return f"version {version}, which holds {digest}"


def _comparable(configuration: dict[str, Any]) -> Attributes:
    """Return a FunctionConfiguration in the form of our declaration."""
    environment = configuration.get("Environment", {})
    if "Error" in environment:
        raise DeployError(
            f"its environment cannot be decrypted: {environment['Error'].get('Message', 'no message')}. "
            "Fix: allow the caller kms:Decrypt on the deployment's key"
        )
    network, logs = configuration.get("VpcConfig", {}), configuration.get("LoggingConfig", {})
    return {
        "code_sha256": configuration["CodeSha256"],
        "handler": configuration["Handler"],
        "description": configuration.get("Description", ""),
        "runtime": configuration["Runtime"],
        "architecture": configuration.get("Architectures", ["x86_64"])[0],
        "memory": configuration["MemorySize"],
        "timeout": configuration["Timeout"],
        "role": configuration["Role"],
        "environment": environment.get("Variables", {}),
        "kms_key": configuration.get("KMSKeyArn"),
        "subnet_ids": sorted(network.get("SubnetIds", [])),
        "security_group_ids": sorted(network.get("SecurityGroupIds", [])),
        "tracing": configuration.get("TracingConfig", {}).get("Mode"),
        "dead_letter_target": configuration.get("DeadLetterConfig", {}).get("TargetArn"),
        "log_group": logs.get("LogGroup"),
        "log_format": logs.get("LogFormat"),
        "log_level": logs.get("ApplicationLogLevel"),
    }


def _configuration(after: Attributes) -> dict[str, Any]:
    """Return the parameters that CreateFunction and UpdateFunctionConfiguration share."""
    return {
        "Handler": after["handler"],
        "Description": after["description"],
        "Runtime": after["runtime"],
        "MemorySize": after["memory"],
        "Timeout": after["timeout"],
        "Role": after["role"],
        "Environment": {"Variables": after["environment"]},
        "KMSKeyArn": after["kms_key"],
        "VpcConfig": {"SubnetIds": after["subnet_ids"], "SecurityGroupIds": after["security_group_ids"]},
        "TracingConfig": {"Mode": after["tracing"]},
        "DeadLetterConfig": {"TargetArn": after["dead_letter_target"]},
        "LoggingConfig": {
            "LogFormat": after["log_format"],
            "ApplicationLogLevel": after["log_level"],
            "LogGroup": after["log_group"],
        },
    }


def _not_yet_usable(error: ClientError) -> bool:
    """Lambda refuses a role that IAM has not spread yet: not assumable, or without its rights on EC2, SNS or KMS."""
    detail = error.response["Error"]
    message = detail.get("Message", "")
    signs = ("cannot be assumed by Lambda", "does not have permissions to", "execution role", "KMS key is invalid")
    return detail["Code"] == "InvalidParameterValueException" and any(sign in message for sign in signs)

"""CloudWatch log groups with finite retention and a customer key, and the policy that lets AWS deliver vended logs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from aurora_deploy.action import Run, Work
from aurora_deploy.clients import Aws, common_start, together
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family
from aurora_deploy.errors import is_code
from aurora_deploy.families.propagation import once_propagated
from aurora_deploy.tag_index import read_tags
from aurora_deploy.tags import own, removed


def plan(run: Run) -> Iterator[Work]:
    """Declare the groups and the delivery policy where one is named; remove ours that are no longer declared."""
    args, names = run.args, run.args["names"]
    family = LogGroupFamily(run.aws, args["tags"])
    declared: dict[str, Attributes | None] = dict.fromkeys(names)
    if not run.absent:
        attributes = {
            "retention_days": args["retention_days"],
            "kms_key": run.lookup.key_arn(args["kms_key"]),
            "tags": args["tags"],
        }
        declared = dict.fromkeys(names, attributes)
    if prefix := args["remove_others_with_prefix"]:
        declared |= dict.fromkeys(family.others(prefix, names, args["tags"]["Project"]))
    yield family, declared
    if policy := args["delivery_policy"]:
        document = None if run.absent else {"document": _delivery_document(run.aws.region, args["account_id"], names)}
        yield DeliveryPolicyFamily(run.aws), {policy: document}


class LogGroupFamily(Family):
    """One item is one log group. DescribeLogGroups gives all but the tags, all of which are declared alike."""

    label = "log group"

    def __init__(self, aws: Aws, tags: Mapping[str, str]) -> None:
        super().__init__(aws)
        self.logs: Any = aws.client("logs")
        self._tagged = tags
        self._listed: dict[str, dict[str, Any]] | None = None

    def others(self, prefix: str, names: Collection[str], project: str) -> list[str]:
        """Return the groups that start with `prefix`, carry our Project tag, and are not in `names`."""
        self._listed = self._list([*names, prefix])
        strangers = {
            name: _arn(group)
            for name, group in self._listed.items()
            if name.startswith(prefix) and name not in names
        }
        tags = together(lambda name: self._tags(strangers[name]), strangers)
        return sorted(name for name in strangers if tags[name].get("Project") == project)

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        """List all groups that start as the names do, or use the list that `others` just took; then read the tags."""
        listed, self._listed = self._listed or self._list(names), None
        found = {name: listed[name] for name in names if name in listed}
        arns = {name: _arn(group) for name, group in found.items()}
        tags = read_tags(self.aws, "logs:log-group", self._tagged, arns, self._tags)
        return {
            name: {
                "_arn": arns[name],
                "retention_days": group.get("retentionInDays"),
                "kms_key": group.get("kmsKeyId"),
                "tags": tags[name],
            }
            for name, group in found.items()
        }

    def _list(self, names: Collection[str]) -> dict[str, dict[str, Any]]:
        start = {"logGroupNamePrefix": common} if (common := common_start(names)) else {}
        groups = self.aws.pages("logs", "describe_log_groups", "logGroups", **start)
        return {group["logGroupName"]: group for group in groups}

    def _tags(self, arn: str) -> dict[str, str]:
        return own(self.logs.list_tags_for_resource(resourceArn=arn)["tags"])

    def create(self, name: str, after: Attributes) -> None:
        parameters = {"logGroupName": name, "kmsKeyId": after["kms_key"], "tags": after["tags"]}
        once_propagated(lambda: self.logs.create_log_group(**parameters), _key_not_yet_usable)
        self.logs.put_retention_policy(logGroupName=name, retentionInDays=after["retention_days"])

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        if "kms_key" in changed:
            parameters = {"logGroupName": name, "kmsKeyId": after["kms_key"]}
            once_propagated(lambda: self.logs.associate_kms_key(**parameters), _key_not_yet_usable)
        if "retention_days" in changed:
            self.logs.put_retention_policy(logGroupName=name, retentionInDays=after["retention_days"])
        if "tags" in changed:
            if gone := removed(before["tags"], after["tags"]):
                self.logs.untag_resource(resourceArn=before["_arn"], tagKeys=gone)
            self.logs.tag_resource(resourceArn=before["_arn"], tags=after["tags"])

    def delete(self, name: str, before: Attributes) -> None:
        self.logs.delete_log_group(logGroupName=name)


class DeliveryPolicyFamily(Family):
    """Resource policies of CloudWatch Logs; a region holds ten."""

    label = "CloudWatch Logs resource policy"

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        policies = self.aws.pages("logs", "describe_resource_policies", "resourcePolicies")
        return {
            policy["policyName"]: {"document": json.loads(policy["policyDocument"])}
            for policy in policies
            if policy.get("policyName") in names
        }

    def create(self, name: str, after: Attributes) -> None:
        self.aws.client("logs").put_resource_policy(policyName=name, policyDocument=json.dumps(after["document"]))

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        self.create(name, after)

    def delete(self, name: str, before: Attributes) -> None:
        self.aws.client("logs").delete_resource_policy(policyName=name)


def _key_not_yet_usable(error: ClientError) -> bool:
    """CloudWatch Logs refuses a key whose new policy it does not see yet (CloudWatch Logs User Guide, "Encrypt log data
    using AWS KMS": a change takes up to five minutes). It has answered with either code, and writes the key as it
    likes."""
    refused = is_code(error, "AccessDeniedException", "InvalidParameterException")
    return refused and "specified kms key" in str(error).lower()


def _arn(group: Mapping[str, Any]) -> str:
    return str(group["arn"]).removesuffix(":*")


def _delivery_document(region: str, account: str, names: Collection[str]) -> dict[str, Any]:
    """Step Functions sends its logs as vended logs (CloudWatch Logs User Guide, "Logs sent to CloudWatch Logs")."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "VendedLogs",
                "Effect": "Allow",
                "Principal": {"Service": "delivery.logs.amazonaws.com"},
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": [
                    f"arn:aws:logs:{region}:{account}:log-group:{name}:log-stream:*" for name in sorted(names)
                ],
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": account},
                    "ArnLike": {"aws:SourceArn": f"arn:aws:logs:{region}:{account}:*"},
                },
            }
        ],
    }

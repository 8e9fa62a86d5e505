"""CloudWatch log groups with finite retention and a customer key, and the policy that lets AWS deliver vended logs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from botocore.exceptions import ClientError

from aurora_deploy.action import Run, Work
from aurora_deploy.clients import Aws, together
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family
from aurora_deploy.errors import is_code
from aurora_deploy.families.propagation import once_propagated
from aurora_deploy.tags import own, removed


def plan(run: Run) -> Iterator[Work]:
    """Declare the groups and the delivery policy where one is named; remove ours that are no longer declared."""
    args, names = run.args, run.args["names"]
    family = LogGroupFamily(run.aws)
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
    """One item is one log group. DescribeLogGroups gives retention and key in bulk; tags take one call a group."""

    label = "log group"

    def __init__(self, aws: Aws) -> None:
        super().__init__(aws)
        self.logs: Any = aws.client("logs")

    def others(self, prefix: str, names: Collection[str], project: str) -> list[str]:
        """Return the groups that start with `prefix`, carry our Project tag, and are not in `names`."""
        groups = self.aws.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix)
        others = {group["logGroupName"]: group["arn"].removesuffix(":*") for group in groups}
        for name in names:
            others.pop(name, None)
        tags = together(lambda name: self._tags(others[name]), others)
        return sorted(name for name in others if tags[name].get("Project") == project)

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        """Read every group that starts as all the names do, then the tags of those asked for."""
        start = {"logGroupNamePrefix": common} if (common := _common_start(names)) else {}
        groups = {
            group["logGroupName"]: {
                "_arn": group["arn"].removesuffix(":*"),
                "retention_days": group.get("retentionInDays"),
                "kms_key": group.get("kmsKeyId"),
            }
            for group in self.aws.pages("logs", "describe_log_groups", "logGroups", **start)
            if group["logGroupName"] in names
        }
        tags = together(lambda name: self._tags(groups[name]["_arn"]), groups)
        return {name: {**group, "tags": tags[name]} for name, group in groups.items()}

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


def _common_start(names: Collection[str]) -> str:
    """Of all strings, those between the first and the last in order share what these two share."""
    first, last = min(names), max(names)
    length = next(
        (index for index, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first)
    )
    return first[:length]


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

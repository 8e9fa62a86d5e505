"""EventBridge rules on the default bus that call a function: rule, target, the function's permission, tags."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from aurora_deploy.action import Run, Work
from aurora_deploy.clients import Aws, common_start, together
from aurora_deploy.diff import Attributes
from aurora_deploy.engine import Family
from aurora_deploy.tags import removed, tag_list, tag_map

_RULE = ("description", "pattern", "schedule", "enabled")


def plan(run: Run) -> Iterator[Work]:
    """Declare every rule, or its absence."""
    args = run.args
    family = EventRuleFamily(run.aws, args["function"], args["alias"])
    if run.absent:
        yield family, dict.fromkeys(item["name"] for item in args["rules"])
        return
    yield (
        family,
        {
            item["name"]: {
                "description": item["description"],
                "pattern": item["pattern"] or None,
                "schedule": item["schedule"] or None,
                "enabled": item["enabled"],
                "target": _target(args),
                "permission": True,
                "tags": args["tags"],
            }
            for item in args["rules"]
        },
    )


def _target(args: Mapping[str, Any]) -> dict[str, Any]:
    """The one target of a rule: the function's alias, tried again for a while when Lambda does not take the event."""
    return {
        "arn": f"{args['function']}:{args['alias']}",
        "retries": args["retries"],
        "max_age": args["max_age"],
    }


class EventRuleFamily(Family):
    """One item is one rule. Its permission is a statement of the alias's policy whose id is the rule's name."""

    label = "EventBridge rule"
    # The statements of one function's policy are one document: two writers at once would lose to each other.
    threads = 1

    def __init__(self, aws: Aws, function: str, alias: str) -> None:
        super().__init__(aws)
        self._events: Any = aws.client("events")
        self._lambda: Any = aws.client("lambda")
        self._function = function
        self._alias = alias

    def read(self, names: Collection[str]) -> dict[str, Attributes]:
        """ListRules, two calls a rule that exists, and one for the function's policy."""
        start = {"NamePrefix": common} if (common := common_start(names)) else {}
        rules = {rule["Name"]: rule for rule in self.aws.pages("events", "list_rules", "Rules", **start)}
        permitted = self._permitted()
        return together(lambda name: self._read_one(rules[name], permitted), [name for name in names if name in rules])

    def create(self, name: str, after: Attributes) -> None:
        self._events.put_rule(Name=name, Tags=tag_list(after["tags"]), **_rule(after))
        self._permit(name, after)
        self._events.put_targets(Rule=name, Targets=[_as_target(after["target"])])

    def update(self, name: str, before: Attributes, after: Attributes, changed: Collection[str]) -> None:
        if set(_RULE) & set(changed):
            self._events.put_rule(Name=name, **_rule(after))
        if "tags" in changed:
            if gone := removed(before["tags"], after["tags"]):
                self._events.untag_resource(ResourceARN=before["_arn"], TagKeys=gone)
            self._events.tag_resource(ResourceARN=before["_arn"], Tags=tag_list(after["tags"]))
        if "permission" in changed:
            self._permit(name, after)
        if "target" in changed:
            if others := [item for item in before["_targets"] if item != _TARGET_ID]:
                self._events.remove_targets(Rule=name, Ids=others)
            self._events.put_targets(Rule=name, Targets=[_as_target(after["target"])])

    def delete(self, name: str, before: Attributes) -> None:
        """A rule goes once it has no targets; the permission goes with it, or went with the function."""
        if before["_targets"]:
            self._events.remove_targets(Rule=name, Ids=before["_targets"])
        if before["permission"]:
            self._lambda.remove_permission(FunctionName=self._function, Qualifier=self._alias, StatementId=name)
        self._events.delete_rule(Name=name)

    def _read_one(self, rule: Mapping[str, Any], permitted: Mapping[str, str]) -> Attributes:
        targets = list(self.aws.pages("events", "list_targets_by_rule", "Targets", Rule=rule["Name"]))
        return {
            "description": rule.get("Description", ""),
            "pattern": json.loads(rule["EventPattern"]) if rule.get("EventPattern") else None,
            "schedule": rule.get("ScheduleExpression") or None,
            "enabled": rule["State"] == "ENABLED",
            "target": _from_target(targets[0]) if len(targets) == 1 else [_from_target(item) for item in targets],
            "permission": permitted.get(rule["Name"]) == rule["Arn"],
            "tags": tag_map(self._events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]),
            "_arn": rule["Arn"],
            "_targets": [item["Id"] for item in targets],
        }

    def _permitted(self) -> dict[str, str]:
        """The ARN of the rule that each statement of the alias's policy lets in, by the statement's id."""
        try:
            policy = self._lambda.get_policy(FunctionName=self._function, Qualifier=self._alias)["Policy"]
        except self._lambda.exceptions.ResourceNotFoundException:
            return {}
        return {item["Sid"]: _source(item) for item in json.loads(policy)["Statement"] if _is_permission(item)}

    def _permit(self, name: str, after: Attributes) -> None:
        """AddPermission refuses an id that is taken, so what stands under it goes first."""
        arn = self._events.describe_rule(Name=name)["Arn"]
        statement = {"FunctionName": self._function, "Qualifier": self._alias, "StatementId": name}
        with contextlib.suppress(self._lambda.exceptions.ResourceNotFoundException):
            self._lambda.remove_permission(**statement)
        self._lambda.add_permission(
            **statement, Action="lambda:InvokeFunction", Principal="events.amazonaws.com", SourceArn=arn
        )


_TARGET_ID = "function"


def _rule(after: Attributes) -> dict[str, Any]:
    """PutRule replaces the whole rule: a pattern or a schedule that is not given is gone."""
    given = {
        "Description": after["description"],
        "EventPattern": json.dumps(after["pattern"], sort_keys=True) if after["pattern"] else None,
        "ScheduleExpression": after["schedule"],
        "State": "ENABLED" if after["enabled"] else "DISABLED",
    }
    return {key: value for key, value in given.items() if value is not None}


def _as_target(target: Mapping[str, Any]) -> dict[str, Any]:
    retry = {"MaximumRetryAttempts": target["retries"], "MaximumEventAgeInSeconds": target["max_age"]}
    return {"Id": _TARGET_ID, "Arn": target["arn"], "RetryPolicy": retry}


def _from_target(target: Mapping[str, Any]) -> dict[str, Any]:
    retry = target.get("RetryPolicy", {})
    known = {
        "arn": target["Arn"],
        "retries": retry.get("MaximumRetryAttempts"),
        "max_age": retry.get("MaximumEventAgeInSeconds"),
    }
    changed = {key: target[key] for key in ("Input", "InputPath", "InputTransformer") if target.get(key)}
    return {**known, **changed}


def _is_permission(statement: Mapping[str, Any]) -> bool:
    return (
        statement.get("Effect") == "Allow"
        and statement.get("Principal") == {"Service": "events.amazonaws.com"}
        and statement.get("Action") == "lambda:InvokeFunction"
    )


def _source(statement: Mapping[str, Any]) -> str:
    conditions = statement.get("Condition", {})
    return str(conditions.get("ArnLike", {}).get("AWS:SourceArn", ""))

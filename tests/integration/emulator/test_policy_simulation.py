"""What a role may do, asked of IAM: for each resource, with the tags that conditions look at."""

from __future__ import annotations

from .conftest import Aws, name


def test_conditions_see_the_context_and_every_resource_is_judged(aws: Aws) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/made-by": "us"}}
    allowed = "arn:aws:rds:us-east-1:000000000000:cluster:*"
    statement = {"Effect": "Allow", "Action": "rds:DeleteDBCluster", "Resource": allowed, "Condition": condition}
    role = aws.role(name("simulated"), statement)
    resources = [f"arn:aws:rds:us-east-1:000000000000:{kind}:x" for kind in ("cluster", "db")]

    def decisions(tag: str) -> list[str]:
        context = {
            "ContextKeyName": "aws:ResourceTag/made-by",
            "ContextKeyValues": [tag],
            "ContextKeyType": "string",
        }
        answer = aws.client("iam").simulate_principal_policy(
            PolicySourceArn=role,
            ActionNames=["rds:DeleteDBCluster"],
            ResourceArns=resources,
            ContextEntries=[context],
        )
        return [result["EvalDecision"] for result in answer["EvaluationResults"]]

    assert decisions("us") == ["allowed", "implicitDeny"]
    assert decisions("them") == ["implicitDeny", "implicitDeny"]

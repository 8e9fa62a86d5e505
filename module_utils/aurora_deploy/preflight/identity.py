"""Who the caller is, and whether the inventory expects it: one call, GetCallerIdentity, that needs no permission."""

from __future__ import annotations

from dataclasses import dataclass

import botocore.session

from aurora_deploy.clients import Aws
from aurora_deploy.errors import AWS_ERRORS, DeployError, explain


@dataclass(frozen=True)
class Caller:
    """Whose credentials these are."""

    account: str
    arn: str


def caller(region: str, profile: str, config_file: str) -> Caller:
    """Ask AWS whose credentials these are.

    Raises DeployError with the fix when there are none, when they have expired or are refused, or when nobody answers.
    """
    try:
        answer = Aws(region, profile, config_file).client("sts").get_caller_identity()
    except AWS_ERRORS as error:
        raise DeployError(explain(error, "credentials")) from error
    return Caller(str(answer["Account"]), str(answer["Arn"]))


def account_mistake(who: Caller, expected: str) -> str | None:
    """Return one sentence if the caller belongs to another account than the inventory says."""
    if who.account == expected:
        return None
    return (
        f"the credentials belong to account {who.account} ({who.arn}), but this inventory is for account {expected}. "
        "Fix: choose that account's credentials (aws_profile, AWS_PROFILE), or the inventory of this account."
    )


def known_regions() -> set[str]:
    """Return every commercial region with Amazon RDS that this botocore knows.

    Those of China and GovCloud are none: their ARNs do not begin with `arn:aws:`, as all of ours do.
    """
    return set(botocore.session.Session().get_available_regions("rds", partition_name="aws"))

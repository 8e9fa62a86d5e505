"""What this package asks of ministack's other services, in one place: KMS, Secrets Manager and EC2."""

from __future__ import annotations

import json
import secrets
import uuid
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import ec2, kms, secretsmanager

from .errors import RdsError
from .model import Realm

_PASSWORD_CHARACTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789!#$%&()*+,-.:;<=>?[]^_{|}~"


def default_key(realm: Realm) -> str:
    """The ARN of the AWS managed key `aws/rds`, which every account has in every region."""
    name = uuid.uuid5(uuid.NAMESPACE_DNS, f"aws-rds.{realm.account}.{realm.region}")
    return f"arn:aws:kms:{realm.region}:{realm.account}:key/{name}"


def is_default_key(arn: str | None) -> bool:
    """Is this an `aws/rds` key?"""
    if not arn:
        return False
    _, _, _, region, account, _ = arn.split(":", 5)
    return arn == default_key(Realm(account, region))


def usable_key(realm: Realm, key: str) -> str:
    """The ARN of the key that a request in `realm` names by id, ARN, alias or alias ARN.

    Raises RdsError KMSKeyNotAccessibleFault when it does not exist here, is not enabled, or belongs to an account
    whose key policy does not let this one create grants.
    """
    alias = f"arn:aws:kms:{realm.region}:{realm.account}:alias/aws/rds"
    if key in (default_key(realm), "alias/aws/rds", alias):
        return default_key(realm)
    account, region = (
        (key.split(":")[4], key.split(":")[3]) if key.startswith("arn:") else (realm.account, realm.region)
    )
    with request_scope(account, region):
        record = kms._resolve_key(key)
    usable = record is not None and record["KeyState"] == "Enabled" and region == realm.region
    if not usable or (account != realm.account and not lets(record, realm.account, "kms:CreateGrant")):
        raise RdsError(
            "KMSKeyNotAccessibleFault",
            f"The specified KMS key [{key}] does not exist, is not enabled or you may not access it.",
        )
    return str(record["Arn"])


def lets(record: dict[str, Any], account: str, action: str) -> bool:
    """Does the key's policy allow `account` an action?"""
    policy = json.loads(record.get("Policy") or "{}")
    for statement in _listed(policy.get("Statement", [])):
        principal = statement.get("Principal", {})
        principals = _listed(principal.get("AWS", []) if isinstance(principal, dict) else principal)
        allowed = {"*", account} & set(principals) or any(f":{account}:" in name for name in principals)
        if (
            statement.get("Effect") == "Allow"
            and allowed
            and {"*", "kms:*", action} & set(_listed(statement.get("Action", [])))
        ):
            return True
    return False


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def create_master_secret(realm: Realm, cluster_resource_id: str, username: str, key: str | None) -> dict[str, str]:
    """Make the secret that RDS manages for a master user, with a fresh password: what `MasterUserSecret` describes, and
    the password under `password`, which the caller takes out."""
    password = "".join(secrets.choice(_PASSWORD_CHARACTERS) for _ in range(32))
    name = f"rds!{cluster_resource_id.lower()}-{uuid.uuid4().hex[:6]}"
    with request_scope(realm.account, realm.region):
        arn = secretsmanager.create_secret_in_process(
            name,
            json.dumps({"username": username, "password": password}),
            f"Master user of {realm.account}'s DB cluster",
        )
    kms_key = key or f"arn:aws:kms:{realm.region}:{realm.account}:alias/aws/secretsmanager"
    return {"SecretArn": str(arn), "SecretStatus": "active", "KmsKeyId": kms_key, "password": password}


def rotate_master_secret(realm: Realm, secret_arn: str, username: str) -> str:
    """Give a managed secret a new password and return it."""
    password = "".join(secrets.choice(_PASSWORD_CHARACTERS) for _ in range(32))
    with request_scope(realm.account, realm.region):
        secretsmanager.put_secret_value_in_process(secret_arn, json.dumps({"username": username, "password": password}))
    return password


def delete_master_secret(realm: Realm, secret_arn: str) -> None:
    """Delete a managed secret."""
    with request_scope(realm.account, realm.region):
        secretsmanager.delete_secret_in_process(secret_arn)


def subnets(realm: Realm, ids: list[str] | None = None) -> list[dict[str, Any]]:
    """The subnets `ids`, or without ids those of the default VPC. Raises RdsError InvalidSubnet for an unknown one."""
    with request_scope(realm.account, realm.region):
        ec2._ensure_defaults_initialized()
        known = dict(ec2._subnets.items())
        default_vpc = next((vpc["VpcId"] for vpc in ec2._vpcs.values() if vpc.get("IsDefault")), None)
    if ids is None:
        return [subnet for subnet in known.values() if subnet["VpcId"] == default_vpc]
    for name in ids:
        if name not in known:
            raise RdsError("InvalidSubnet", f"The requested subnet {name} does not exist or is not available.")
    return [known[name] for name in ids]


def default_security_group(realm: Realm, vpc_id: str | None) -> list[str]:
    """The default security group of a VPC, as a list of none or one."""
    with request_scope(realm.account, realm.region):
        ec2._ensure_defaults_initialized()
        groups = ec2._security_groups.values()
        return [group["GroupId"] for group in groups if group["GroupName"] == "default" and group["VpcId"] == vpc_id][
            :1
        ]


def check_security_groups(realm: Realm, ids: list[str]) -> None:
    """Raises RdsError InvalidParameterValue for security groups that do not exist."""
    with request_scope(realm.account, realm.region):
        ec2._ensure_defaults_initialized()
        unknown = [name for name in ids if name not in ec2._security_groups]
    if unknown:
        raise RdsError("InvalidParameterValue", f"Invalid security group , groupId= {', '.join(unknown)}, groupName=.")

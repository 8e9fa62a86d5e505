"""Playbooks run as an operator runs them, against a local AWS whose IAM policies are enforced."""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from demo.console import Console
from demo.databases import MASKED, Databases, Login
from demo.seed import Seed
from emulator.launcher import Emulator

PREFIX = "aurora-restore"
DEPLOYING = ("site.yml", "playbooks/destroy.yml")
# Statements of docs/policies whose resources or their tags are not known to the local AWS for some of the calls.
NOT_TOLD_APART = {"NameOfTheKey", "Tables", "Topic", "NetworkOfOurs", "Functions", "StateMachine", "Rules", "Alarms"}
_RECAP = re.compile(r"ok=(?P<ok>\d+)\s+changed=(?P<changed>\d+).*failed=(?P<failed>\d+)")
_TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Played:
    """What a playbook printed, and the numbers of its recap."""

    output: str
    code: int

    @property
    def changed(self) -> int:
        """Tasks that changed something, or in check mode would."""
        return int(self._recap["changed"])

    @property
    def failed(self) -> int:
        return int(self._recap["failed"])

    @property
    def _recap(self) -> re.Match[str]:
        found = _RECAP.search(self.output)
        assert found, self.output
        return found


def _told_apart(policy: dict[str, Any]) -> dict[str, Any]:
    """A policy with the same actions, but on everything where the local AWS does not tell the resources apart."""
    wide = [
        {key: value for key, value in statement.items() if key != "Condition"} | {"Resource": "*"}
        if statement["Sid"] in NOT_TOLD_APART
        else statement
        for statement in policy["Statement"]
    ]
    return {**policy, "Statement": wide}


class LocalAws:
    """One emulator, with the operator's and the application's tools."""

    def __init__(self, emulator: Emulator, repository: Path) -> None:
        self.emulator = emulator
        self._repository = repository
        self.ca_file = emulator.settings.state_dir / "ca.pem"
        self._profiles = emulator.settings.state_dir / "aws-config"
        self._profiles.write_text("\n".join(self._profile(name) for name in ("deployer", "operator")), "utf-8")

    def _profile(self, name: str) -> str:
        """A session of a role that may do what docs/policies say, and no more."""
        policy = (self._repository / "docs/policies" / f"{name}.json").read_text("utf-8")
        for placeholder, value in {"PREFIX": PREFIX, "REGION": "us-east-1", "ACCOUNT": "000000000000"}.items():
            policy = policy.replace(placeholder, value)
        trust = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}
        iam = self.client("iam")
        role = iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )["Role"]
        iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(_told_apart(json.loads(policy))))
        session = self.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName=name)["Credentials"]
        return (
            f"[profile {name}]\naws_access_key_id = {session['AccessKeyId']}\n"
            f"aws_secret_access_key = {session['SecretAccessKey']}\naws_session_token = {session['SessionToken']}\n"
        )

    def client(self, service: str, region: str = "us-east-1", account: str = "000000000000") -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.emulator.endpoint_url,
            aws_access_key_id=account,
            aws_secret_access_key="local",
        )

    def play(self, playbook: str, *arguments: str, **variables: Any) -> Played:
        """Run a playbook on inventories/local, with the rights of docs/policies; extra variables keep their types."""
        command = [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "-i",
            "inventories/local",
            playbook,
            *arguments,
        ]
        given = {
            "lambda_rds_ca_bundle": str(self.ca_file),
            "aws_config_file": str(self._profiles),
            "aws_profile": "deployer" if playbook in DEPLOYING else "operator",
            **variables,
        }
        command += ["-e", json.dumps(given)]
        done = subprocess.run(
            command,
            cwd=self._repository,
            env={**os.environ, "AWS_ENDPOINT_URL": self.emulator.endpoint_url, "ANSIBLE_NOCOLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        return Played(done.stdout, done.returncode)

    def deploy(self, *arguments: str, **variables: Any) -> Played:
        """Run site.yml; it must not fail."""
        played = self.play("site.yml", *arguments, **variables)
        assert played.code == 0, played.output
        return played

    def secret(self, name: str) -> Login:
        value = json.loads(self.client("secretsmanager").get_secret_value(SecretId=f"{PREFIX}/{name}")["SecretString"])
        return Login(value["username"], value["password"])


@dataclass(frozen=True)
class Shop:
    """The seeded clusters: logins, and ways to look at their rows."""

    aws: LocalAws
    databases: Databases
    source: Login
    target: Login

    def rows(self, cluster: str) -> dict[str, tuple[int, str]]:
        """Count and checksum of each table, read over verified TLS.

        A restored cluster has the master user of its source, and the password of the pipeline's secret.
        """
        return self.databases.fingerprint(cluster, self.login(cluster), "shop", without=MASKED)

    def login(self, cluster: str) -> Login:
        """The cluster's master user."""
        described = self.aws.client("rds").describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]
        password = (self.source if cluster == "orders-prod" else self.target).password
        return Login(described["MasterUsername"], password)

    def clusters(self) -> dict[str, str]:
        """Status by identifier of every cluster of the account."""
        found = self.aws.client("rds").describe_db_clusters()["DBClusters"]
        return {cluster["DBClusterIdentifier"]: cluster["Status"] for cluster in found}

    def snapshot(self, name: str, cluster: str) -> None:
        """Take a snapshot and wait for it."""
        rds = self.aws.client("rds")
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=cluster)
        waiter = rds.get_waiter("db_cluster_snapshot_available")
        waiter.wait(DBClusterSnapshotIdentifier=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    def instances(self) -> set[str]:
        found = self.aws.client("rds").describe_db_instances()["DBInstances"]
        return {instance["DBInstanceIdentifier"] for instance in found}

    def execution(self, operation: str) -> dict[str, Any]:
        arn = f"arn:aws:states:us-east-1:000000000000:execution:{PREFIX}-state-machine:{operation}"
        found: dict[str, Any] = self.aws.client("stepfunctions").describe_execution(executionArn=arn)
        return found

    def item(self, key: str) -> dict[str, Any] | None:
        """An item of the state table, in DynamoDB's typed JSON."""
        found: dict[str, Any] | None = (
            self.aws.client("dynamodb")
            .get_item(TableName=f"{PREFIX}-state", Key={"operation_id": {"S": key}}, ConsistentRead=True)
            .get("Item")
        )
        return found

    def lock_owner(self, cluster: str) -> str:
        """The operation that holds the lock of a target; empty when it is free (a lock once taken stays as an item)."""
        item = self.item(f"lock#us-east-1#{cluster}")
        return str(item["state"]["M"]["owner"].get("S", "")) if item else ""

    def audit(self, operation: str) -> list[tuple[str, str]]:
        """Steps and statuses of the audit trail, in order."""
        found = self.aws.client("dynamodb").query(
            TableName=f"{PREFIX}-audit",
            KeyConditionExpression="operation_id = :o",
            ExpressionAttributeValues={":o": {"S": operation}},
        )["Items"]
        return [(item["step"]["S"], item["status"]["S"]) for item in found]


@contextmanager
def lasting_waits(shop: Shop) -> Iterator[Callable[[str], None]]:
    """Within, waits of executions last minutes. Gives what returns once an execution (its ARN) has entered one.

    Then no function works for it. One that does when its execution is stopped is waited for, up to its whole time-out.
    """
    emulator, client = shop.aws.emulator, shop.aws.client("stepfunctions")
    scale = emulator.request("GET", "/_emulator/config")["wait_scale"]
    emulator.request("POST", "/_emulator/config", {"wait_scale": 5})
    since = datetime.datetime.now(datetime.UTC)

    def waits(arn: str) -> bool:
        event = client.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)["events"][0]
        return bool(event["type"] == "WaitStateEntered" and event["timestamp"] >= since)

    try:
        yield lambda arn: wait_until(lambda: waits(arn), "a wait that lasts", 120)
    finally:
        emulator.request("POST", "/_emulator/config", {"wait_scale": scale})


def local_aws(directory: Path, repository: Path) -> Iterator[LocalAws]:
    """A started emulator; stopped at the end."""
    with Emulator(directory / "state", wait_scale=0.02, aurora_scale=0.01, enforce_iam=True) as emulator:
        yield LocalAws(emulator, repository)


def wait_until(look: Any, what: str, seconds: float = 30) -> Any:
    """Look until there is something true; fail with `what` otherwise."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"never saw {what}"
        time.sleep(0.2)
    return found


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[LocalAws]:
    """A local AWS with the whole deployment."""
    for aws in local_aws(tmp_path_factory.mktemp("deployed"), repository):
        aws.deploy()
        yield aws


@pytest.fixture(scope="session")
def shop(deployed: LocalAws) -> Shop:
    """Source, target and snapshot with real rows."""
    databases = Databases(deployed.client("rds"), deployed.ca_file)
    seed = Seed(
        deployed.client("rds"),
        deployed.client("kms"),
        databases,
        Console(),
        Login("prod_admin", "source-password-1"),
        deployed.secret("master-credentials"),
    )
    seed.sow()
    return Shop(deployed, databases, seed.source, seed.target)

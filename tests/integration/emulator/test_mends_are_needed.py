"""Ask plain ministack for what each mend brings: a test that fails here names a mend that can go.

When the pinned release changes, run these first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from emulator import mends
from emulator.launcher import Emulator

from .conftest import REGION, ROLE, Aws, name, task


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Clients of an emulator without any mend, which evaluates IAM policies."""
    state_dir = tmp_path_factory.mktemp("plain") / "state"
    emulator = Emulator(state_dir, wait_scale=0.01, aurora_scale=0, enforce_iam=True, without_mends=mends.NAMES)
    with emulator:
        aws = Aws(emulator)
        aws.role()
        yield aws


def lambda_runtime(aws: Aws) -> bool:
    return bool(aws.invoke(aws.function(), {"fail": True})[1]["errorType"] == "CopyFailed")


def executions(aws: Aws) -> bool:
    return "output" not in aws.run(aws.machine({"Stop": {"Type": "Fail"}}))


def error_handling(aws: Aws) -> bool:
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100, "MaxDelaySeconds": 1, "MaxAttempts": 1}
    ended = aws.run(aws.machine({"Flaky": task(aws.function(), Retry=[retry])}), {"fail": True})
    events = aws.client("stepfunctions").get_execution_history(executionArn=ended["executionArn"])["events"]
    failed = next(index for index, event in enumerate(events) if event["type"] == "TaskFailed")
    return bool((events[failed + 1]["timestamp"] - events[failed]["timestamp"]).total_seconds() < 0.5)


def task_invocations(aws: Aws) -> bool:
    return bool(aws.run(aws.machine({"Work": task(aws.function())}))["status"] == "FAILED")


def task_callbacks(aws: Aws) -> bool:
    parameters = {"FunctionName": aws.function(), "Payload": {"fail": True}}
    ask = {"Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "Parameters": parameters, "TimeoutSeconds": 2}
    return bool(aws.run(aws.machine({"Ask": {**task(""), **ask}}))["error"] != "States.Timeout")


def managed_keys(aws: Aws) -> bool:
    try:
        return bool(aws.client("kms").describe_key(KeyId="alias/aws/rds"))
    except ClientError:
        return False


def shared_keys(aws: Aws) -> bool:
    policy = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]})
    key = aws.client("kms", AccessKeyId="111111111111").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    try:
        return bool(aws.client("kms").describe_key(KeyId=key))
    except ClientError:
        return False


def policy_simulation(aws: Aws) -> bool:
    resources = ["arn:aws:rds:us-east-1:000000000000:cluster:a", "arn:aws:rds:us-east-1:000000000000:cluster:b"]
    answer = aws.client("iam").simulate_principal_policy(
        PolicySourceArn=ROLE, ActionNames=["rds:DeleteDBCluster"], ResourceArns=resources
    )
    return len(answer["EvaluationResults"]) == len(resources)


def metrics(aws: Aws) -> bool:
    machine = aws.machine({"Stop": {"Type": "Fail"}})
    aws.run(machine)
    cloudwatch = aws.client("cloudwatch")
    return bool(cloudwatch.list_metrics(Namespace="AWS/States")["Metrics"])


def alarms(aws: Aws) -> bool:
    cloudwatch, alarm = aws.client("cloudwatch"), name("alarm")
    settings = {"Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "Statistic": "Sum"}
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="Shop",
        MetricName="Orders",
        Dimensions=[{"Name": "Region", "Value": "eu"}],
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        **settings,
    )
    datum = {"MetricName": "Orders", "Dimensions": [{"Name": "Region", "Value": "us"}], "Value": 5}
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])
    return bool(cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["StateValue"] != "ALARM")


def nat_gateways(aws: Aws) -> bool:
    ec2 = aws.client("ec2")
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    return bool(ec2.create_nat_gateway(SubnetId=subnet, AllocationId=allocation)["NatGateway"]["NatGatewayAddresses"])


def vpc_endpoints(aws: Aws) -> bool:
    ec2 = aws.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    made = ec2.create_vpc_endpoint(
        VpcId=vpc, VpcEndpointType="Interface", ServiceName=f"com.amazonaws.{REGION}.rds", PrivateDnsEnabled=True
    )
    return bool(made["VpcEndpoint"].get("PrivateDnsEnabled"))


def security_groups(aws: Aws) -> bool:
    ec2 = aws.client("ec2")
    used, using = (ec2.create_security_group(GroupName=name("group"), Description="-")["GroupId"] for _ in range(2))
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": used}]}
    ec2.authorize_security_group_egress(GroupId=using, IpPermissions=[rule])
    return _refused(lambda: ec2.delete_security_group(GroupId=used))


def round_trips(aws: Aws) -> bool:
    states = aws.client("stepfunctions")
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    machine = states.create_state_machine(
        name=name("machine"), definition=definition, roleArn=ROLE, tracingConfiguration={"enabled": True}
    )["stateMachineArn"]
    return "tracingConfiguration" in states.describe_state_machine(stateMachineArn=machine)


def definitions(aws: Aws) -> bool:
    states = aws.client("stepfunctions")
    return bool(states.validate_state_machine_definition(definition='{"StartAt": "Nowhere"}')["result"] == "FAIL")


def rds_authorization(aws: Aws) -> bool:
    policy = {"Effect": "Allow", "Action": "rds:*", "Resource": f"arn:aws:rds:{REGION}:*:cluster-snapshot:nightly"}
    role = aws.role(name("role"), policy)
    session = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="plain")["Credentials"]
    rds = aws.client("rds", **{key: session[key] for key in ("AccessKeyId", "SecretAccessKey", "SessionToken")})
    return not _refused(lambda: rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="nightly"), "AccessDenied")


def states_authorization(aws: Aws) -> bool:
    states = aws.client("stepfunctions")
    machine = aws.machine({"Done": {"Type": "Succeed"}})
    version = states.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    role = aws.role(name("role"), {"Effect": "Allow", "Action": "states:StartExecution", "Resource": machine})
    session = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="plain")["Credentials"]
    keys = {key: session[key] for key in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
    client = aws.client("stepfunctions", **keys)
    return not _refused(lambda: client.start_execution(stateMachineArn=version), "AccessDenied")


def secure_transport(aws: Aws) -> bool:
    plain_http = {"Bool": {"aws:SecureTransport": "false"}}
    statements = [
        {"Effect": "Allow", "Action": "sns:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "sns:*", "Resource": "*", "Condition": plain_http},
    ]
    session = aws.client("sts").assume_role(RoleArn=aws.role(name("role"), *statements), RoleSessionName="plain")
    keys = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    sns = aws.client("sns", **{key: session["Credentials"][key] for key in keys})
    return not _refused(sns.list_topics)


def tag_index(aws: Aws) -> bool:
    tags = {"Project": name("project")}
    aws.client("logs").create_log_group(logGroupName="/shop/orders", tags=tags)
    listed = aws.client("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["logs:log-group"])
    return any(entry["ResourceARN"].endswith("/shop/orders") for entry in listed["ResourceTagMappingList"])


def _refused(call: Callable[[], object], code: str = "") -> bool:
    try:
        call()
    except ClientError as error:
        return code in str(error.response["Error"]["Code"])
    return False


PROBES: dict[str, Callable[[Aws], bool]] = {
    probe.__name__: probe
    for probe in (
        lambda_runtime,
        executions,
        error_handling,
        task_invocations,
        task_callbacks,
        metrics,
        alarms,
        nat_gateways,
        vpc_endpoints,
        security_groups,
        round_trips,
        definitions,
        rds_authorization,
        states_authorization,
        managed_keys,
        shared_keys,
        policy_simulation,
        secure_transport,
        tag_index,
    )
}


def test_every_mend_has_a_probe() -> None:
    assert set(PROBES) == set(mends.NAMES)


@pytest.mark.parametrize("mend", PROBES)
def test_plain_ministack_still_needs_the_mend(plain: Aws, mend: str) -> None:
    assert not PROBES[mend](plain), f"ministack does this by itself now: remove emulator/mends/{mend}.py"


@pytest.mark.parametrize("mend", PROBES)
def test_the_mend_brings_what_its_probe_asks(strict_aws: Aws, mend: str) -> None:
    assert PROBES[mend](strict_aws)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, WaiterError

from aurora_deploy.clients import Aws, common_start, together
from aurora_deploy.errors import DeployError


class Answers:
    """Answers requests in botocore's place, before they are sent."""

    def __init__(self, client: Any, operation: str, answers: list[tuple[int, str]]) -> None:
        self.left = list(answers)
        self.asked = 0
        client.meta.events.register(f"before-send.{client.meta.service_model.service_name}.{operation}", self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        self.asked += 1
        status, body = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        response = AWSResponse(request.url, status, {}, None)
        response._content = body.encode()
        return response


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setattr("time.sleep", lambda _: None)
    return Aws("eu-west-1")


def test_region_profile_and_file_come_from_the_arguments(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile p]\nendpoint_url = http://127.0.0.1:1\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    aws = Aws("eu-west-1", "p", str(config))
    assert aws.region == "eu-west-1"
    assert aws.client("sns").meta.endpoint_url == "http://127.0.0.1:1"


def test_without_arguments_the_ordinary_chain_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:2")
    assert Aws().region == "eu-north-1"
    assert Aws().client("sns").meta.endpoint_url == "http://127.0.0.1:2"


def test_no_region_at_all_is_an_error_with_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(DeployError, match="set the variable region"):
        _ = Aws().region


def test_a_client_is_made_once(aws: Aws) -> None:
    assert aws.client("sns") is aws.client("sns")


def test_five_throttled_calls_in_a_row_are_survived_and_a_sixth_is_reported(aws: Aws) -> None:
    throttled = (400, '{"__type": "ThrottlingException", "message": "slow down"}')
    patient = Answers(aws.client("dynamodb"), "ListTables", [throttled] * 5 + [(200, '{"TableNames": ["t"]}')])
    assert list(aws.pages("dynamodb", "list_tables", "TableNames")) == ["t"]
    assert patient.asked == 6
    Answers(aws.client("kms"), "ListKeys", [throttled])
    with pytest.raises(ClientError, match="ThrottlingException"):
        list(aws.pages("kms", "list_keys", "Keys"))


def test_pages_are_read_to_the_last(aws: Aws) -> None:
    Answers(
        aws.client("dynamodb"),
        "ListTables",
        [(200, '{"TableNames": ["one"], "LastEvaluatedTableName": "one"}'), (200, '{"TableNames": ["two"]}')],
    )
    assert list(aws.pages("dynamodb", "list_tables", "TableNames")) == ["one", "two"]


def table_status(status: str) -> tuple[int, str]:
    return 200, f'{{"Table": {{"TableStatus": "{status}"}}}}'


ACTIVE = [{"state": "success", "matcher": "path", "argument": "Table.TableStatus", "expected": "ACTIVE"}]


def test_a_waiter_asks_until_its_acceptor_decides(aws: Aws) -> None:
    answers = Answers(aws.client("dynamodb"), "DescribeTable", [table_status("CREATING"), table_status("ACTIVE")])
    aws.wait("dynamodb", "DescribeTable", ACTIVE, delay=1, attempts=5, TableName="t")
    assert answers.asked == 2


def test_a_waiter_gives_up(aws: Aws) -> None:
    Answers(aws.client("dynamodb"), "DescribeTable", [table_status("CREATING")])
    with pytest.raises(WaiterError):
        aws.wait("dynamodb", "DescribeTable", ACTIVE, delay=1, attempts=3, TableName="t")


def test_together_keeps_what_was_found_by_name() -> None:
    assert together(lambda name: name.upper() if name != "b" else None, ["a", "b", "c"]) == {"a": "A", "c": "C"}


def test_together_raises_the_first_failure() -> None:
    with pytest.raises(ZeroDivisionError):
        together(lambda name: str(1 / len(name)), ["a", ""])


def test_names_have_a_common_start() -> None:
    assert common_start(["/aws/lambda/ar-b", "/aws/lambda/ar-a", "/aws/lambda/ar-"]) == "/aws/lambda/ar-"
    assert common_start(["one"]) == "one"
    assert common_start(["one", "two"]) == ""

"""Reading credentials: every malformed secret is named with its fix, and none is ever shown."""

from __future__ import annotations

import pytest

from aurora_restore.aws.secrets import Secrets
from aurora_restore.errors import SecretMalformed, SecretNotFound
from tests.unit.lambdas.steps.conftest import SecretsClient


@pytest.fixture
def client() -> SecretsClient:
    return SecretsClient()


def test_a_login_is_read_with_its_version_and_hidden_in_its_repr(client: SecretsClient) -> None:
    client.put("app", {"username": "app", "password": "pä's\"$%\\", "host": "ignored"})
    found = Secrets(client).credentials("app")
    assert (found.username, found.password, found.version) == ("app", "pä's\"$%\\", "v1")
    assert found.password not in repr(found)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("s3cret, not json", "is not JSON text"),
        ("", "is not JSON text"),
        ('"s3cret"', "not an object"),
        ('["s3cret"]', "not an object"),
        ({"username": "app"}, "lacks password as text"),
        ({"password": "s3cret"}, "lacks username as text"),
        ({}, "lacks username and password as text"),
        ({"username": "app", "password": ""}, "lacks password"),
        ({"username": "app", "password": 12345}, "lacks password"),
        ({"username": "app", "password": "s3cret\0"}, "lacks password"),
    ],
)
def test_a_malformed_secret_is_named_and_not_shown(client: SecretsClient, content: object, problem: str) -> None:
    client.put("app", content)
    with pytest.raises(SecretMalformed, match=problem) as caught:
        Secrets(client).credentials("app")
    assert "'app'" in str(caught.value)
    assert '{"username": "...", "password": "..."}' in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_missing_secret_is_named(client: SecretsClient) -> None:
    with pytest.raises(SecretNotFound, match="'app' does not exist"):
        Secrets(client).credentials("app")


@pytest.mark.parametrize("password", ["12345678", "x" * 41, "!#$%&'()*+,-.:;<=>?[]^_`{|}~"])
def test_passwords_that_aurora_takes(client: SecretsClient, password: str) -> None:
    client.put("master", {"username": "admin", "password": password})
    assert Secrets(client).master_credentials("master").password == password


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("s3cret7", "8 to 41"),
        ("x" * 42, "8 to 41"),
        ("s3cret/word", "slash"),
        ('s3cret"word', "double quote"),
        ("s3cret@word", "at sign"),
        ("s3cret word", "space"),
        ("s3cretwörd", "printable ASCII"),
    ],
)
def test_passwords_that_aurora_refuses(client: SecretsClient, password: str, rule: str) -> None:
    client.put("master", {"username": "admin", "password": password})
    with pytest.raises(SecretMalformed, match=rule) as caught:
        Secrets(client).master_credentials("master")
    assert password not in str(caught.value)

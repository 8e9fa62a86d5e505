"""SetupDbUsers over a database that only records; the rights themselves are tested on real servers."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest

from aurora_restore.db import Access, Endpoint
from aurora_restore.errors import DatabaseRefused, DatabaseUnreachable, SecretMalformed, SecretNotFound
from aurora_restore.steps import databases, setup_db_users
from tests.unit.lambdas.steps.conftest import Operation


class Recorder:
    """One connection; `calls` are shared by all."""

    def __init__(self, endpoint: Endpoint, calls: list[tuple[object, ...]], others: list[str]) -> None:
        self._database, self._calls, self._others = endpoint.database, calls, others

    def close(self) -> None:
        self._calls.append((self._database, "close"))

    def ensure_login(self, user: str, password: str, member_of: Collection[str]) -> list[str]:
        self._calls.append((self._database, "login", user, password, *member_of))
        return ["CREATE ROLE"]

    def ensure_grants(
        self, user: str, access: Access, schemas: Collection[str], member_of: Collection[str]
    ) -> list[str]:
        self._calls.append((self._database, "grants", user, access, list(schemas), *member_of))
        return ["GRANT"]

    def ensure_memberships(self, user: str, member_of: Collection[str]) -> list[str]:
        self._calls.append((self._database, "memberships", user, *member_of))
        return []

    def set_login(self, login: str, *, enabled: bool) -> None:
        self._calls.append((self._database, "enable" if enabled else "disable", login))

    def other_databases_of(self, user: str) -> list[str]:
        return self._others

    def revoke_all(self, user: str) -> list[str]:
        self._calls.append((self._database, "revoke", user))
        return ["REVOKE"]


@pytest.fixture
def calls(operation: Operation, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What was done to the databases. The request has one writer of `shop`, who in production could enter `crm` too."""
    made: list[tuple[object, ...]] = []

    def connect(endpoint: Endpoint, *_: object) -> Recorder:
        made.append((endpoint.database, "connect", endpoint.user, endpoint.password))
        return Recorder(endpoint, made, ["crm"])

    monkeypatch.setattr(databases, "connect", connect)
    operation.secrets.put("app", {"username": "app", "password": "s3cret-of-app"})
    operation.users = [{"secret": "app", "access": "read_write", "database": "shop", "schemas": ["shop", "audit"]}]
    return made


def run(operation: Operation) -> dict[str, Any]:
    return setup_db_users.run(operation.context, operation.document)


def test_a_login_loses_its_rights_elsewhere_before_it_gets_its_own(
    operation: Operation, calls: list[tuple[object, ...]]
) -> None:
    run(operation)
    assert calls == [
        ("shop", "connect", "postgres", "Environment-1"),
        ("shop", "login", "app", "s3cret-of-app"),
        ("shop", "close"),
        ("crm", "connect", "postgres", "Environment-1"),
        ("crm", "revoke", "app"),
        ("crm", "close"),
        ("shop", "connect", "postgres", "Environment-1"),
        ("shop", "grants", "app", Access.READ_WRITE, ["shop", "audit"]),
        ("shop", "close"),
    ]


def test_all_logins_come_before_any_right(operation: Operation, calls: list[tuple[object, ...]]) -> None:
    operation.secrets.put("reader", {"username": "reader", "password": "x"})
    operation.users.append({**operation.users[0], "secret": "reader", "access": "read_only"})
    run(operation)
    assert [call[1:3] for call in calls if call[1] in ("login", "grants")] == [
        ("login", "app"),
        ("login", "reader"),
        ("grants", "app"),
        ("grants", "reader"),
    ]


def test_the_result_names_users_and_grants_and_no_secret(operation: Operation, calls: list[tuple[object, ...]]) -> None:
    result = run(operation)
    assert result["users"] == [
        {
            "name": "app",
            "secret": "app",
            "access": "read_write",
            "database": "shop",
            "schemas": ["shop", "audit"],
            "member_of": [],
            "changes": 3,
        }
    ]
    assert "s3cret" not in json.dumps([result, dict(operation.entry(setup_db_users.STEP))])


def test_a_user_is_made_with_the_roles_that_the_request_lists(
    operation: Operation, calls: list[tuple[object, ...]]
) -> None:
    operation.users[0]["member_of"] = ["staff"]
    assert run(operation)["users"][0]["member_of"] == ["staff"]
    assert [call[-1] for call in calls if call[1] in ("login", "grants")] == ["staff", "staff"]


def test_a_kept_login_gets_its_memberships_before_it_may_log_in(
    operation: Operation, calls: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup_db_users, "disabled_logins", lambda *_: ["etl", "report", "stranger"])
    operation.users.clear()
    operation.credentials |= {"keep_logins": ["report", "etl"], "member_of": {"report": ["readers"], "gone": []}}
    run(operation)
    assert [call[1:] for call in calls if call[1] in ("memberships", "enable")] == [
        ("memberships", "report", "readers"),
        ("enable", "etl"),
        ("enable", "report"),
    ]


@pytest.mark.parametrize("where", ["user", "kept"])
def test_nobody_becomes_a_member_of_a_user_of_the_request(
    operation: Operation, calls: list[tuple[object, ...]], where: str
) -> None:
    if where == "user":
        operation.secrets.put("reader", {"username": "reader", "password": "x"})
        operation.users.append({**operation.users[0], "secret": "reader", "member_of": ["app"]})
    else:
        operation.credentials |= {"keep_logins": ["report"], "member_of": {"report": ["app"]}}
    with pytest.raises(DatabaseRefused, match="'app' both a user and a role"):
        run(operation)
    assert calls == []


def test_the_journal_frames_the_work(
    operation: Operation, calls: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DatabaseUnreachable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(databases, "connect", refuse)
        with pytest.raises(DatabaseUnreachable):
            run(operation)
    assert operation.entry(setup_db_users.STEP) == {"users": ["app"], "phase": "intended"}
    run(operation)
    assert operation.entry(setup_db_users.STEP) == {"users": ["app"], "phase": "made"}


def test_two_users_of_one_name_would_undo_each_other(operation: Operation, calls: list[tuple[object, ...]]) -> None:
    operation.secrets.put("other", {"username": "app", "password": "x"})
    operation.users.append({**operation.users[0], "secret": "other", "access": "read_only"})
    with pytest.raises(SecretMalformed, match=r"'app'.*secrets app, other"):
        run(operation)
    assert calls == []


def test_a_missing_secret_is_found_before_a_database_is_touched(
    operation: Operation, calls: list[tuple[object, ...]]
) -> None:
    operation.users.append({**operation.users[0], "secret": "absent"})
    with pytest.raises(SecretNotFound, match="'absent'"):
        run(operation)
    assert calls == []


def test_no_users_is_no_work(operation: Operation, calls: list[tuple[object, ...]]) -> None:
    operation.users.clear()
    assert run(operation)["users"] == []
    assert calls == []

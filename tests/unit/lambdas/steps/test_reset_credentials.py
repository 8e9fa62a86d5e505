"""ResetCredentials: one password change, however often the step is killed, and done only when it logs in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aurora_restore.db import Endpoint
from aurora_restore.db.failures import LoginRefused, NotQuiet
from aurora_restore.db.model import Activity
from aurora_restore.errors import (
    DatabaseUnreachable,
    LockLost,
    NameTaken,
    RestoreFailed,
    SecretMalformed,
    SecretNotFound,
    WaitTimedOut,
)
from aurora_restore.steps import databases, reset_credentials
from aurora_restore.store import resource_key
from tests.unit.lambdas.fake_rds import Killed
from tests.unit.lambdas.pipeline import OPERATION
from tests.unit.lambdas.steps.conftest import CLUSTER, MASTER_SECRET, Operation

STEP = reset_credentials.STEP


SUBSCRIPTION = Activity("subscription", "shop", "orders")
MAIL, CHARGE = Activity("event", "shop", "mail"), Activity("event", "billing", "charge")


class Connection:
    """A server whose logins are in `able`, and what goes on in it by itself in `going_on`."""

    def __init__(self, able: dict[str, bool], going_on: list[Activity]) -> None:
        self.able = able
        self.going_on = going_on

    def close(self) -> None:
        pass

    def inherited_logins(self) -> list[str]:
        return [name for name, able in self.able.items() if able]

    def set_login(self, login: str, *, enabled: bool) -> None:
        self.able[login] = enabled

    def replications(self) -> list[Activity]:
        return [activity for activity in self.going_on if activity.kind == "subscription"]

    def jobs(self) -> list[Activity]:
        return [activity for activity in self.going_on if activity.kind == "event"]

    def stop(self, activity: Activity) -> None:
        assert any(self.able.values()), "stopped after the logins were disabled"
        self.going_on.remove(activity)


@pytest.fixture
def able() -> dict[str, bool]:
    """Production's logins, and whether they may log in."""
    return {"shop_app": True, "report": True}


@pytest.fixture
def going_on() -> list[Activity]:
    """What production's databases do by themselves."""
    return [MAIL, SUBSCRIPTION, CHARGE]


@pytest.fixture
def logins(
    operation: Operation, able: dict[str, bool], going_on: list[Activity], monkeypatch: pytest.MonkeyPatch
) -> list[Endpoint]:
    """A server that takes the password of the last ModifyDBCluster; the list holds every attempt."""
    attempts: list[Endpoint] = []

    def connect(endpoint: Endpoint, *_: object) -> Connection:
        attempts.append(endpoint)
        if endpoint.password != operation.cluster.get("MasterUserPassword", "production"):
            raise LoginRefused("no")
        return Connection(able, going_on)

    monkeypatch.setattr(databases, "connect", connect)
    return attempts


def step(operation: Operation) -> dict[str, Any]:
    result = reset_credentials.run(operation.context, operation.document)
    operation.results["credentials"] = result
    return result


def changes(operation: Operation) -> int:
    return operation.pipeline.rds.changes.count("modify_db_cluster")


def test_the_secrets_password_is_set_and_proved_by_logging_in(operation: Operation, logins: list[Endpoint]) -> None:
    first = step(operation)
    assert (first["done"], first["wait_seconds"] > 0) == (False, True)
    second = step(operation)
    assert second["done"] is True
    assert operation.cluster["MasterUserPassword"] == "Environment-1"
    assert logins[-1].host == operation.cluster["Endpoint"]
    assert operation.entry(STEP)["phase"] == "made"


def test_the_master_user_is_the_clusters_own(operation: Operation, logins: list[Endpoint]) -> None:
    assert step(operation)["master_username"] == "postgres"
    assert {login.user for login in logins} == {"postgres"}


def test_no_secret_leaves_the_step(operation: Operation, logins: list[Endpoint]) -> None:
    results = [step(operation), step(operation)]
    assert "Environment-1" not in json.dumps(results)
    assert "Environment-1" not in json.dumps(dict(operation.entry(STEP)))
    assert "Environment-1" not in repr(logins)


def test_nothing_is_changed_while_aws_applies_the_password(operation: Operation, logins: list[Endpoint]) -> None:
    operation.cluster["Status"] = "resetting-master-credentials"
    result = step(operation)
    assert (result["done"], result["status"]) == (False, "resetting-master-credentials")
    assert (changes(operation), logins) == (0, [])


def test_a_password_that_is_slow_to_show_is_asked_for_once(operation: Operation, logins: list[Endpoint]) -> None:
    step(operation)
    operation.cluster["MasterUserPassword"] = "not yet"
    assert not step(operation)["done"]
    assert not step(operation)["done"]
    assert changes(operation) == 1


def test_a_secret_that_changed_meanwhile_is_asked_for_again(operation: Operation, logins: list[Endpoint]) -> None:
    step(operation)
    operation.secrets.put(MASTER_SECRET, {"username": "admin", "password": "Environment-2"})
    step(operation)
    assert step(operation)["done"]
    assert operation.cluster["MasterUserPassword"] == "Environment-2"


def test_a_password_that_never_works_ends_with_an_error(operation: Operation, logins: list[Endpoint]) -> None:
    step(operation)
    operation.cluster["MasterUserPassword"] = "somebody else's"
    operation.pipeline.clock.advance(reset_credentials.PATIENCE_SECONDS + 1)
    with pytest.raises(LoginRefused, match="still refuses it"):
        step(operation)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_step_killed_around_its_call_ends_in_the_same_place(
    operation: Operation, logins: list[Endpoint], moment: str
) -> None:
    operation.pipeline.rds.kill = lambda number, _what: moment if number == 1 else ""
    with pytest.raises(Killed):
        step(operation)
    assert operation.entry(STEP)["phase"] == "intended"
    while not step(operation)["done"]:
        assert changes(operation) <= 2
    assert operation.cluster["MasterUserPassword"] == "Environment-1"


def test_a_cluster_that_became_busy_is_waited_for(operation: Operation, logins: list[Endpoint]) -> None:
    operation.pipeline.rds.fail["modify_db_cluster"] = ["InvalidDBClusterStateFault"]
    assert not step(operation)["done"]
    assert operation.entry(STEP)["phase"] == "intended"
    step(operation)
    assert step(operation)["done"]


def test_a_password_that_is_right_already_changes_nothing(operation: Operation, logins: list[Endpoint]) -> None:
    operation.cluster["MasterUserPassword"] = "Environment-1"
    assert step(operation)["done"]
    assert changes(operation) == 0


def test_a_cluster_of_another_operation_is_never_touched(operation: Operation, logins: list[Endpoint]) -> None:
    operation.cluster["TagList"] = [{"Key": "aurora-restore:operation", "Value": "other-operation"}]
    with pytest.raises(NameTaken, match="other-operation"):
        step(operation)
    assert changes(operation) == 0


def test_a_vanished_cluster_is_an_error(operation: Operation, logins: list[Endpoint]) -> None:
    operation.pipeline.rds.clusters.clear()
    with pytest.raises(RestoreFailed, match=f"{CLUSTER} vanished"):
        step(operation)


def test_a_lost_lock_stops_the_step(operation: Operation, logins: list[Endpoint]) -> None:
    operation.pipeline.store.release(resource_key("us-east-1", "orders-staging"), OPERATION)
    with pytest.raises(LockLost):
        step(operation)


def test_the_deadline_ends_the_wait(operation: Operation, logins: list[Endpoint]) -> None:
    step(operation)
    operation.cluster["Status"] = "resetting-master-credentials"
    operation.pipeline.clock.advance(7201)
    with pytest.raises(WaitTimedOut, match="master password"):
        step(operation)


def test_an_instance_that_is_still_starting_is_left_to_the_retry(
    operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DatabaseUnreachable("starting")

    monkeypatch.setattr(databases, "connect", refuse)
    with pytest.raises(DatabaseUnreachable):
        step(operation)
    assert changes(operation) == 0


def test_secrets_are_checked_before_anything_changes(operation: Operation, logins: list[Endpoint]) -> None:
    operation.secrets.put(MASTER_SECRET, {"username": "admin", "password": "has a space"})
    with pytest.raises(SecretMalformed):
        step(operation)
    del operation.secrets.values[MASTER_SECRET]
    with pytest.raises(SecretNotFound):
        step(operation)
    assert changes(operation) == 0


def test_productions_logins_are_disabled_once(
    operation: Operation, logins: list[Endpoint], able: dict[str, bool]
) -> None:
    step(operation)
    assert all(able.values())
    result = step(operation)
    assert result["audit"]["disabled_logins"] == ["report", "shop_app"]
    assert not any(able.values())
    able["shop_app"] = True  # as SetupDbUsers does it
    assert step(operation)["audit"]["disabled_logins"] == ["report", "shop_app"]
    assert able == {"shop_app": True, "report": False}


def test_what_was_disabled_in_another_cluster_does_not_count(
    operation: Operation, logins: list[Endpoint], able: dict[str, bool]
) -> None:
    step(operation)
    step(operation)
    operation.cluster["DbClusterResourceId"] = "cluster-ANOTHER"
    able["shop_app"] = True
    step(operation)
    assert not any(able.values())


def test_a_kill_while_logins_are_disabled_forgets_none(
    operation: Operation, logins: list[Endpoint], able: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    step(operation)
    set_login = Connection.set_login

    def die(connection: Connection, login: str, *, enabled: bool) -> None:
        set_login(connection, login, enabled=enabled)
        raise Killed

    monkeypatch.setattr(Connection, "set_login", die)
    with pytest.raises(Killed):
        step(operation)
    monkeypatch.undo()
    assert sum(able.values()) == 1
    monkeypatch.setattr(databases, "connect", lambda *_: Connection(able, []))
    assert step(operation)["audit"]["disabled_logins"] == ["report", "shop_app"]
    assert not any(able.values())


def test_what_acts_by_itself_is_stopped_once_before_any_login_is_disabled(
    operation: Operation, logins: list[Endpoint], going_on: list[Activity]
) -> None:
    step(operation)
    assert len(going_on) == 3
    result = step(operation)
    assert going_on == []
    assert result["audit"]["stopped"] == ["event billing.charge", "event shop.mail", "subscription shop.orders"]
    assert operation.entry(STEP)["stopped"] == result["stopped"] == result["audit"]["stopped"]
    going_on.append(MAIL)  # switched on by somebody who may
    assert step(operation)["stopped"] == result["stopped"]
    assert going_on == [MAIL]


@pytest.mark.parametrize(
    ("keep", "left"), [(["shop.*"], [MAIL]), (["billing.charge"], [CHARGE]), (["*"], [MAIL, CHARGE]), (["mail"], [])]
)
def test_jobs_that_the_request_keeps_go_on_and_replication_never_does(
    operation: Operation, logins: list[Endpoint], going_on: list[Activity], keep: list[str], left: list[Activity]
) -> None:
    operation.jobs["keep"] = keep
    step(operation)
    step(operation)
    assert going_on == left


def test_a_plan_of_before_an_update_keeps_no_job(
    operation: Operation, logins: list[Endpoint], going_on: list[Activity]
) -> None:
    plan = {key: value for key, value in operation.document["plan"].items() if key != "jobs"}
    for _ in range(2):
        reset_credentials.run(operation.context, {"plan": plan})
    assert going_on == []


def test_what_cannot_be_stopped_ends_the_step(
    operation: Operation, logins: list[Endpoint], able: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "stop", lambda *_: None)
    step(operation)
    with pytest.raises(NotQuiet, match=r"still going on: subscription shop\.orders, event shop\.mail"):
        step(operation)
    assert operation.entry(STEP)["phase"] == "quietening"
    assert all(able.values())


def test_a_kill_while_things_are_stopped_forgets_none(
    operation: Operation, logins: list[Endpoint], going_on: list[Activity], monkeypatch: pytest.MonkeyPatch
) -> None:
    step(operation)
    stop = Connection.stop

    def die(connection: Connection, activity: Activity) -> None:
        stop(connection, activity)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Connection, "stop", die)
        with pytest.raises(Killed):
            step(operation)
    assert len(going_on) == 2
    assert len(step(operation)["audit"]["stopped"]) == 3
    assert going_on == []


def test_the_document_holds_the_first_names_and_the_audit_trail_all(
    operation: Operation, logins: list[Endpoint], going_on: list[Activity]
) -> None:
    going_on[:] = [Activity("event", "shop", f"mail_{number:03}") for number in range(50)]
    step(operation)
    result = step(operation)
    assert (len(result["stopped"]), result["stopped_count"], len(result["audit"]["stopped"])) == (20, 50, 50)


class TestManaged:
    """`master: managed`: RDS makes the password and keeps it in a secret of its own."""

    ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-1"

    @pytest.fixture(autouse=True)
    def managed(self, operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
        operation.credentials["master"] = "managed"
        rds = operation.pipeline.rds
        modify = rds._modify_db_cluster

        def hand_over(**arguments: Any) -> dict[str, Any]:
            if arguments.pop("ManageMasterUserPassword", False):
                operation.cluster["MasterUserSecret"] = {"SecretArn": self.ARN, "SecretStatus": "creating"}
                operation.cluster["MasterUserPassword"] = 'Made/by"RDS@ 1'
                operation.secrets.put(self.ARN, {"username": "postgres", "password": 'Made/by"RDS@ 1'})
            return modify(**arguments)

        monkeypatch.setattr(rds, "_modify_db_cluster", hand_over)

    def test_the_password_is_handed_over_and_used_once_the_secret_can_be_read(
        self, operation: Operation, logins: list[Endpoint]
    ) -> None:
        assert step(operation)["done"] is False
        assert step(operation)["done"] is False  # creating
        assert logins == []
        operation.cluster["MasterUserSecret"]["SecretStatus"] = "active"
        result = step(operation)
        assert (result["done"], result["master"], result["secret"]) == (True, "managed", self.ARN)
        assert changes(operation) == 1
        assert "Made/by" not in json.dumps(result)

    def test_a_secret_that_never_becomes_usable_runs_into_the_deadline(
        self, operation: Operation, logins: list[Endpoint]
    ) -> None:
        with pytest.raises(WaitTimedOut):
            for _ in range(100):
                operation.pipeline.clock.advance(step(operation)["wait_seconds"])
        assert changes(operation) == 1

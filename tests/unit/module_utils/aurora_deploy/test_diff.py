from __future__ import annotations

from typing import Any

import pytest

from aurora_deploy.diff import HIDDEN, as_text, canonical, differing, shown

SHORT = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": "123456789012"},
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": True}},
    },
}
LONG = {
    "Statement": [
        {
            "Condition": {"Bool": {"aws:SecureTransport": ["true"]}},
            "Resource": ["*"],
            "Action": ["kms:Decrypt"],
            "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]},
            "Effect": "Allow",
        }
    ],
    "Version": "2012-10-17",
}


def statement(**changes: Any) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["a", "b"], "Resource": "*"} | changes],
    }


def test_policies_that_differ_only_in_spelling_are_the_same() -> None:
    assert canonical(SHORT) == canonical(LONG)


def test_the_order_of_statements_and_actions_means_nothing() -> None:
    one, two = statement(Sid="1")["Statement"][0], statement(Sid="2", Action=["b", "a"])["Statement"][0]
    assert canonical({"Statement": [one, two]}) == canonical({"Statement": [two, one]})
    assert canonical(statement(Action=["b", "a"])) == canonical(statement())


@pytest.mark.parametrize(
    "changed",
    [
        {"Effect": "Deny"},
        {"Action": ["a"]},
        {"Resource": "arn:x"},
        {"Principal": {"Service": "x"}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "1"}}},
    ],
)
def test_a_policy_that_means_something_else_differs(changed: dict[str, Any]) -> None:
    assert canonical(statement(**changed)) != canonical(statement())


def test_anybody_is_spelled_in_two_ways() -> None:
    assert canonical(statement(Principal="*")) == canonical(statement(Principal={"AWS": "*"}))


def test_policies_are_recognised_inside_other_values() -> None:
    assert canonical({"reader": SHORT}) == canonical({"reader": LONG})


def test_a_list_keeps_its_order_unless_it_is_a_set() -> None:
    assert differing({"x": [1, 2]}, {"x": [2, 1]}) == ("x",)
    assert differing({"x": [1, 2]}, {"x": [2, 1]}, unordered=["x"]) == ()


def test_only_what_is_declared_is_compared() -> None:
    assert differing({"a": 1, "b": 2}, {"a": 1}) == ()
    assert differing({"a": 1}, {"a": 1, "b": None, "_note": "x"}) == ("b",)


def test_secrets_and_notes_are_not_shown() -> None:
    assert shown({"name": "x", "password": "p", "_id": "1"}, hidden=["password"]) == {"name": "x", "password": HIDDEN}


def test_what_does_not_exist_has_no_text() -> None:
    assert as_text(None) == ""
    assert as_text({"b": 1, "a": 2}) == '{\n  "a": 2,\n  "b": 1\n}\n'


def test_a_whole_number_is_shown_one_way() -> None:
    assert as_text(shown({"threshold": 1.0, "share": 0.5})) == as_text(shown({"threshold": 1, "share": 0.5}))

"""What MySQL 8 says of roles, which MariaDB, the server of the integration tests, says otherwise."""

from __future__ import annotations

from typing import Any

from aurora_restore.db import Access, Endpoint
from aurora_restore.db.mysql_accounts import ensure_grants, ensure_login
from aurora_restore.db.mysql_session import DIALECTS

NOTHING = "GRANT USAGE ON *.* TO `app`@`%`"
RIGHTS = r"GRANT SELECT ON `shop\_eu`.* TO `app`@`%`"


class Mysql:
    """One account, `app`@`%`; remembers the statements that change something, with their values in place."""

    endpoint = Endpoint("aurora-mysql", "host", 3306, "", "master", "secret")
    dialect = DIALECTS["MySQL"]

    def __init__(self, grants: list[str], members: list[tuple[str, str, str]]) -> None:
        self.grants, self.members = grants, members
        self.changes: list[str] = []

    def schemas(self) -> set[str]:
        return {"shop_eu"}

    def run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        answers: dict[str, list[tuple[Any, ...]]] = {
            self.dialect.accounts: [("%", "caching_sha2_password", "", False)],
            self.dialect.roles: [("app",), ("staff",), ("readers",)],
            self.dialect.members or "": list(self.members),
            self.dialect.default_plugin: [("default_authentication_plugin", "mysql_native_password")],
        }
        if sql in answers:
            return answers[sql]
        if sql.startswith("SHOW GRANTS"):
            return [(line,) for line in self.grants]
        statement = sql % tuple(f"'{value}'" for value in values)
        self.changes.append(statement)
        if statement == "REVOKE `owners`@`%` FROM 'app'@'%'":
            self.grants = [NOTHING, RIGHTS, "GRANT `staff`@`%` TO `app`@`%`"]
        return []


def test_of_several_roles_in_one_line_only_the_listed_ones_stay() -> None:
    server = Mysql([NOTHING, RIGHTS, "GRANT `owners`@`%`,`staff`@`%` TO `app`@`%`"], [])
    assert ensure_grants(server, "app", Access.READ_ONLY, ["shop_eu"], ["staff"]) != []
    assert server.changes == ["REVOKE `owners`@`%` FROM 'app'@'%'"]
    assert ensure_grants(server, "app", Access.READ_ONLY, ["shop_eu"], ["staff"]) == []


def test_nobody_keeps_an_account_of_ours_as_a_role() -> None:
    server = Mysql([NOTHING], [("legacy", "10.%", "%")])
    assert "REVOKE ROLE FROM legacy@10.%" in ensure_login(server, "app", "password")
    assert server.changes[-1] == "REVOKE 'app'@'%' FROM 'legacy'@'10.%'"

"""Refusals of a database that callers tell apart. All are `DatabaseRefused`: final, unlike `DatabaseUnreachable`."""

from __future__ import annotations

from aurora_restore.errors import DatabaseRefused


class TlsFailed(DatabaseRefused):
    """The server offers no TLS, or its certificate does not prove that it is the server we mean."""

    default_remedy = (
        "Put the region's current RDS certificate bundle where RDS_CA_BUNDLE says, deploy, and check the instance's CA."
    )


class LoginRefused(DatabaseRefused):
    """The server does not take this user and password."""

    default_remedy = (
        "Compare the secret with the database's user; a master password is reset by running the restore again."
    )


class DatabaseMissing(DatabaseRefused):
    """The server has no database of that name."""

    default_remedy = "Correct `database` under users and verify in the request."


class StatementFailed(DatabaseRefused):
    """The server refused a statement; `state` is the SQLSTATE or the MySQL error number."""

    def __init__(self, message: str, *, remedy: str | None = None, state: str = "") -> None:
        self.state = state
        super().__init__(message, remedy=remedy)


class StatementTimedOut(StatementFailed):
    """The server ended a statement because its time was over."""


class NotQuiet(DatabaseRefused):
    """Something that the restored database does by itself cannot be stopped; the message names it."""

    default_remedy = "Stop it in the source, then restore from a newer snapshot."


class GrantsNotExact(DatabaseRefused):
    """A user's rights cannot be made what the request says."""

    default_remedy = "Let the owner of the named objects put them right in the source, then take a new snapshot."

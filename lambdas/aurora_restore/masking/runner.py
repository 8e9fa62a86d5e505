"""Running a masking set, as far as the time of one invocation reaches, exactly once however often it is killed.

How far it got stands in the database itself, written by the transaction that did the work. On PostgreSQL a file is one
transaction; on MySQL, where DDL commits whatever went before it, a statement is. A chunked file is one transaction a
chunk on both.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aurora_restore.db import Database
from aurora_restore.db.failures import StatementFailed, StatementTimedOut
from aurora_restore.db.statements import Statement, only
from aurora_restore.errors import MaskingChanged, MaskingFailed
from aurora_restore.masking.scripts import CHUNK_NAMES, MaskingSet, Script

LEDGER = "aurora_restore_masking"  # a schema, which on MySQL is a database
_LEAST_SECONDS = 1.0
_SQL = {
    "schema": f"CREATE SCHEMA IF NOT EXISTS {LEDGER}",
    "table": f"CREATE TABLE IF NOT EXISTS {LEDGER}.progress (script varchar(200) NOT NULL PRIMARY KEY, "
    "sha256 char(64) NOT NULL, statements int NOT NULL, first_key bigint, last_key bigint, reached bigint)",
    "read": f"SELECT script, sha256, statements, first_key, last_key, reached FROM {LEDGER}.progress",
    "begin": f"INSERT INTO {LEDGER}.progress VALUES (:script, :sha256, 0, :first_key, :last_key, NULL)",
    "advance": f"UPDATE {LEDGER}.progress SET statements = :statements WHERE script = :script",
    "reach": f"UPDATE {LEDGER}.progress SET reached = :reached WHERE script = :script",
    "drop_table": f"DROP TABLE IF EXISTS {LEDGER}.progress",
    "drop_schema": f"DROP SCHEMA IF EXISTS {LEDGER}",
}
_STATEMENTS = {name: only("aurora-postgresql", sql) for name, sql in _SQL.items()}


@dataclass(frozen=True)
class Progress:
    """How far a set has come; `script` is the file at work, empty when all are done."""

    script: str
    percent: int

    @property
    def done(self) -> bool:
        return not self.script


@dataclass
class _Done:
    """The ledger's entry of one file."""

    sha256: str
    statements: int = 0
    first_key: int | None = None
    last_key: int | None = None
    reached: int | None = None


class _OutOfTime(Exception):
    """The invocation's time is used up; the next one goes on."""


class Runner:
    """One invocation's worth. `end` is a moment of time.monotonic(), `values` are what placeholders stand for."""

    def __init__(self, database: Database, engine: str, values: Mapping[str, object], end: float) -> None:
        self._database = database
        self._engine = engine
        self._values = values
        self._end = end
        self._fresh = True  # nothing was done yet: a statement that times out now would do so in every invocation

    def advance(self, masking: MaskingSet) -> Progress:
        """Do what is left of `masking`, until it is done or the time is up.

        Raises MaskingFailed for a statement that the database refuses or that never fits into one invocation.
        """
        with self._database.changing():
            self._ledger("schema")
            self._ledger("table")
        done = {row[0]: _Done(*row[1:]) for row in self._ledger("read")}
        for number, script in enumerate(masking.scripts):
            entry = done.get(script.name)
            try:
                self._script(script, entry)
            except _OutOfTime:
                share = self._share(script) if script.chunk else 0.0
                return Progress(script.name, int(100 * (number + share) / len(masking.scripts)))
        return Progress("", 100)

    def forget(self) -> None:
        """Remove the ledger."""
        with self._database.changing():
            self._ledger("drop_table")
            self._ledger("drop_schema")

    def _script(self, script: Script, entry: _Done | None) -> None:
        if entry and entry.sha256 != script.sha256:
            raise MaskingChanged(f"{script.name} changed after some of it had run.")
        if script.chunk:
            self._chunks(script, entry)
        elif self._database.ddl_is_transactional:
            if entry is None:
                self._unit(script, script.statements, len(script.statements), begin=True)
        else:
            for number in range(entry.statements if entry else 0, len(script.statements)):
                first = entry is None and number == 0
                self._unit(script, script.statements[number : number + 1], number + 1, begin=first)

    def _unit(self, script: Script, statements: tuple[Statement, ...], reached: int, *, begin: bool) -> None:
        """One transaction: statements, and in the ledger how many of the file are done with them."""
        self._limit()
        try:
            with self._database.changing():
                for statement in statements:
                    self._limit(within=True)
                    self._execute(script, statement, {})
                if begin:
                    self._begin(script, None, None)
                self._ledger("advance", script=script.name, statements=reached)
        except StatementTimedOut as error:
            raise self._too_long(script) from error
        self._fresh = False

    def _chunks(self, script: Script, entry: _Done | None) -> None:
        """Chunk after chunk, by ascending key; rows that come to lie above the first look's last key are not ours."""
        if entry is None:
            entry = self._open(script)
        while entry.last_key is not None and (entry.reached is None or entry.reached < entry.last_key):
            self._limit()
            try:
                with self._database.changing():
                    bounds = self._next_chunk(script, entry)
                    for statement in script.statements if bounds else ():
                        self._limit(within=True)
                        self._execute(script, statement, dict(zip(CHUNK_NAMES, bounds or (), strict=True)))
                    entry.reached = bounds[1] if bounds else entry.last_key
                    self._ledger("reach", script=script.name, reached=entry.reached)
            except StatementTimedOut as error:
                raise self._too_long(script) from error
            self._fresh = False

    def _open(self, script: Script) -> _Done:
        """The ledger's entry of a chunked file: from which key to which."""
        self._limit()
        table, key = self._chunk_names(script)
        with self._database.changing():
            low, high = self._query(script, f"SELECT min({key}), max({key}) FROM {table}")[0]
            missing = self._query(script, f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {key} IS NULL LIMIT 1) s")
            if missing[0][0] or not all(isinstance(bound, int | None) for bound in (low, high)):
                raise MaskingFailed(
                    f"{script.name}: the chunk key must be an integer column without NULLs.",
                    remedy="Name another key in the file's chunk line, such as the primary key.",
                )
            self._begin(script, low, high)
        return _Done(script.sha256, 0, low, high)

    def _next_chunk(self, script: Script, entry: _Done) -> tuple[int, int] | None:
        assert script.chunk is not None
        table, key = self._chunk_names(script)
        beyond = "" if entry.reached is None else f"{key} > :reached AND "
        rows = self._query(
            script,
            f"SELECT min(k), max(k) FROM (SELECT {key} AS k FROM {table} WHERE {beyond}{key} <= :last_key "
            f"ORDER BY {key} LIMIT {script.chunk.size}) s",
            reached=entry.reached,
            last_key=entry.last_key,
        )
        low, high = rows[0]
        return None if low is None else (int(low), int(high))

    def _chunk_names(self, script: Script) -> tuple[str, str]:
        assert script.chunk is not None
        try:
            return self._database.quoted(script.chunk.table, script.chunk.key)
        except ValueError as error:
            raise MaskingFailed(f"{script.name}: {error}.") from error

    def _share(self, script: Script) -> float:
        """How much of a chunked file is done, by its keys."""
        entry = next((_Done(*row[1:]) for row in self._ledger("read") if row[0] == script.name), None)
        if entry is None or entry.reached is None or entry.first_key is None or entry.last_key is None:
            return 0.0
        return (entry.reached - entry.first_key + 1) / (entry.last_key - entry.first_key + 1)

    def _execute(self, script: Script, statement: Statement, chunk: Mapping[str, int]) -> None:
        try:
            self._database.execute(statement, {**self._values, **chunk})
        except StatementTimedOut:
            raise
        except StatementFailed as error:
            raise MaskingFailed(f"{script.name} (line {statement.line}): {error.message}") from error

    def _query(self, script: Script, sql: str, **values: object) -> list[tuple[int, ...]]:
        """Our own statement about a table that the file names."""
        statement = only(self._engine, sql)
        try:
            return self._database.execute(statement, values)
        except StatementTimedOut:
            raise
        except StatementFailed as error:
            raise MaskingFailed(f"{script.name} (chunk line): {error.message}") from error

    def _begin(self, script: Script, low: int | None, high: int | None) -> None:
        self._ledger("begin", script=script.name, sha256=script.sha256, first_key=low, last_key=high)

    def _ledger(self, name: str, **values: object) -> list[Any]:
        return self._database.execute(_STATEMENTS[name], values)

    def _limit(self, *, within: bool = False) -> None:
        """Give the next statement what is left of the time. Raises _OutOfTime when nothing is, between transactions."""
        left = self._end - time.monotonic()
        if left < _LEAST_SECONDS and not within and not self._fresh:
            raise _OutOfTime
        self._database.limit_statements(max(left, _LEAST_SECONDS))

    def _too_long(self, script: Script) -> Exception:
        if not self._fresh:
            return _OutOfTime()  # again in the next invocation, with all of its time
        return MaskingFailed(
            f"{script.name} does not fit into the time of one invocation of the function.",
            remedy="Let the file go through the table in chunks (`-- chunk: table=<table> key=<column> size=<rows>`, "
            "docs/masking.md), or smaller ones; or give mask-data a longer timeout in lambda_overrides.",
        )

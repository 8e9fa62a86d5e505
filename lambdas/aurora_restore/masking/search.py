"""The proof: probes that must find nothing, and a look through every text column for what personal data looks like."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from aurora_restore.db import Database
from aurora_restore.db.failures import StatementFailed, StatementTimedOut
from aurora_restore.db.model import TextTable
from aurora_restore.db.statements import Statement
from aurora_restore.errors import MaskingFailed
from aurora_restore.masking.detectors import kinds_in
from aurora_restore.masking.scripts import Script

_LEAST_SECONDS = 1.0
_LOOK_EVERY = 1000  # rows between two looks at the clock
_NAMES = {"email": "e-mail addresses", "phone": "phone numbers", "card": "card numbers", "iban": "IBANs"}


class OutOfTime(Exception):
    """The invocation's time is used up; the next one goes on."""


def run_probe(database: Database, probe: Script, values: Mapping[str, object], end: float) -> int:
    """How many rows a probe returns; it runs read only. Raises OutOfTime; MaskingFailed where the database refuses."""
    _limit(database, end)
    statement = probe.statements[0]
    *texts, last = statement.texts
    texts = [*texts, f"{last}\n) s"]  # on a line of its own, because the probe may end in a comment
    texts[0] = f"SELECT count(*) FROM ({texts[0]}"
    counting = Statement(tuple(texts), statement.names, statement.line)
    try:
        with database.looking():
            return int(database.execute(counting, values)[0][0])
    except StatementTimedOut as error:
        raise OutOfTime from error
    except StatementFailed as error:
        raise MaskingFailed(f"{probe.name}: {error.message}") from error


def tables_to_search(database: Database, allow: Sequence[str]) -> list[TextTable]:
    """The tables with columns for text, without the columns that `allow` (`schema.table.column`, * for any) admits."""
    found = []
    for table in database.text_tables():
        columns = tuple(name for name in table.columns if not _allowed(f"{table}.{name}", allow))
        if columns:
            found.append(TextTable(table.schema, table.name, columns, table.rows))
    return found


def search(
    database: Database, table: TextTable, kinds: Sequence[str], rows: int | None, end: float
) -> tuple[int, list[str]]:
    """How many rows of `table` were looked at, and what was found, column by column: names and counts, never data.

    Raises OutOfTime; MaskingFailed where the database refuses.
    """
    _limit(database, end)
    hits: Counter[tuple[str, str]] = Counter()
    seen = 0
    try:
        with database.looking():
            for values in database.text_values(table, rows):
                seen += 1
                for column, value in zip(table.columns, values, strict=True):
                    for kind in kinds_in(value, tuple(kinds)) if value else ():
                        hits[column, kind] += 1
                if seen % _LOOK_EVERY == 0 and time.monotonic() > end:
                    raise OutOfTime
    except StatementTimedOut as error:
        raise OutOfTime from error
    except StatementFailed as error:
        raise MaskingFailed(f"{table} cannot be looked through: {error.message}") from error
    return seen, list(_words(table, hits, seen))


def _words(table: TextTable, hits: Counter[tuple[str, str]], seen: int) -> Iterator[str]:
    for (column, kind), count in sorted(hits.items()):
        yield f"{table}.{column}: {count} of {seen} rows look like {_NAMES[kind]}"


def _allowed(column: str, allow: Sequence[str]) -> bool:
    return any(fnmatchcase(column, pattern) for pattern in allow)


def _limit(database: Database, end: float) -> None:
    left = end - time.monotonic()
    if left < _LEAST_SECONDS:
        raise OutOfTime
    database.limit_statements(left)

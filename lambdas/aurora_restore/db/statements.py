"""SQL text -> single statements with named placeholders (`:name`), which each engine binds in its driver's own way.

Quoted text, comments and PostgreSQL's dollar quotes are passed over, so that neither a semicolon nor a colon in them
counts. What a dialect does not know is left to the server, which refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SHARED = (
    r"(?P<comment>--[^\n]*|/\*.*?\*/{hash})",
    r"(?P<quoted>{quoted})",
    r"(?P<skip>::|:=)",
    r"(?P<name>(?<![\w:]):[a-z][a-z0-9_]*)",
    r"(?P<end>;)",
    r"(?P<open>/\*|{quotes})",
)
_QUOTED = {
    "aurora-postgresql": (
        r"(?<!\w)[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\""
        r"|(?<!\w)\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$"
    ),
    "aurora-mysql": r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`(?:[^`]|``)*`",
}
_PATTERNS = {
    engine: re.compile(
        "|".join(_SHARED)
        .replace("{quoted}", quoted)
        .replace("{hash}", r"|\#[^\n]*" if engine == "aurora-mysql" else "")
        .replace("{quotes}", "['\"`]" if engine == "aurora-mysql" else "['\"]"),
        re.DOTALL,
    )
    for engine, quoted in _QUOTED.items()
}


class NotSql(Exception):
    """The text cannot be taken apart; the message says where and holds none of it."""


@dataclass(frozen=True)
class Statement:
    """One statement: `texts` with the placeholder `names[n]` between `texts[n]` and `texts[n + 1]`."""

    texts: tuple[str, ...]
    names: tuple[str, ...] = ()
    line: int = 1

    @property
    def keyword(self) -> str:
        """The first word in capitals, comments aside."""
        bare = re.sub(r"^(?:\s+|--[^\n]*\n|#[^\n]*\n|/\*.*?\*/)+", "", self.texts[0], flags=re.DOTALL)
        found = re.match(r"\w+", bare)
        return found.group().upper() if found else ""


def split(engine: str, sql: str) -> list[Statement]:
    """The statements of `sql` in `engine`'s dialect. Raises NotSql for a quote or comment that never ends."""
    return list(_split(_PATTERNS[engine], sql))


def only(engine: str, sql: str) -> Statement:
    """The one statement of `sql`. Raises NotSql for none or several."""
    found = split(engine, sql)
    if len(found) != 1:
        raise NotSql(f"holds {len(found)} statements instead of one")
    return found[0]


def _split(pattern: re.Pattern[str], sql: str) -> Iterator[Statement]:
    texts: list[str] = []
    names: list[str] = []
    start = cut = seen = 0  # of the statement, of its text since the last placeholder, of what was not looked at yet
    code = False  # whether the statement holds more than blanks and comments
    for token in pattern.finditer(sql):
        kind, here = ("quoted" if token.lastgroup == "tag" else token.lastgroup), token.start()
        code = code or kind in ("quoted", "name") or bool(sql[seen:here].strip())
        seen = token.end()
        if kind == "open":
            raise NotSql(f"has a quote or comment that never ends, from line {_line(sql, here)}")
        if kind == "name":
            texts.append(sql[cut:here])
            names.append(token.group()[1:])
            cut = seen
        elif kind == "end":
            if code:
                yield Statement((*texts, sql[cut:here]), tuple(names), _line(sql, start))
            texts, names, code = [], [], False
            start = cut = seen
    if code or sql[seen:].strip():
        yield Statement((*texts, sql[cut:]), tuple(names), _line(sql, start))


def _line(sql: str, position: int) -> int:
    """The number of the line of the first character after `position` that is not blank."""
    return sql.count("\n", 0, position + len(sql[position:]) - len(sql[position:].lstrip())) + 1

"""Write the table of the roles' own settings in docs/configuration.md from roles/*/defaults/main.yml: `make docs`.

A default's comment is its documentation, so the table repeats it word for word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "configuration.md"
HEADING = "## The settings of the roles"


def settings(defaults: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, default as it is written, and comment of every variable in a role's defaults."""
    comment: list[str] = []
    value: list[str] = []
    name = ""
    for line in [*defaults.read_text().splitlines(), ""]:
        if name and line.startswith(" "):
            value.append(line.strip())
            continue
        if name:
            yield name, " ".join(value).strip(), " ".join(comment)
            name, comment, value = "", [], []
        if line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        elif match := re.fullmatch(r"([a-z_]+):(.*)", line):
            name, value = match[1], [match[2].strip()]
        else:
            comment = []


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def table(roles: Path, inventory_variables: frozenset[str]) -> str:
    """Return the table; what the inventories set has its place in the table above it."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for defaults in sorted(roles.glob("*/defaults/main.yml")):
        for name, default, comment in settings(defaults):
            if name not in inventory_variables:
                rows.append("| {} | {} | {} |".format(*(_cell(one) for one in (f"`{name}`", f"`{default}`", comment))))
    return "\n".join(rows) + "\n"


def page(text: str, roles: Path) -> str:
    """Return the page with the section of the roles' settings replaced."""
    variables = frozenset(re.findall(r"^\| `([a-z_]+)` \|", text.split(HEADING)[0], re.MULTILINE))
    before, section = text.split(f"{HEADING}\n")
    introduction = section.split("\n| variable |")[0]
    rest = section.partition("\n## ")[2]
    return f"{before}{HEADING}\n{introduction}\n{table(roles, variables)}" + (f"\n## {rest}" if rest else "")


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(), ROOT / "roles"))

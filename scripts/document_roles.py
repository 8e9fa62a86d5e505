"""Write the table of the roles' own settings in docs/configuration.md from the roles themselves: `make docs`.

The default comes from a role's defaults/main.yml, the meaning from its meta/argument_specs.yml.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "configuration.md"
HEADING = "## The settings of the roles"


def settings(role: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, default as JSON and description ('' if it has none) of every variable in a role's defaults."""
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text())
    options = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    for name, default in defaults.items():
        description = options.get(name, {}).get("description", "")
        yield name, json.dumps(default), " ".join(description) if isinstance(description, list) else str(description)


def page(text: str, roles: Path) -> str:
    """Return the page with the table written anew; what the inventories set has a table of its own above it."""
    inventory_variables = set(re.findall(r"^\| `([a-z_]+)` \|", text.split(HEADING)[0], re.MULTILINE))
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for defaults in sorted(roles.glob("*/defaults/main.yml")):
        for name, default, description in settings(defaults.parent.parent):
            if name not in inventory_variables:
                rows.append(f"| `{name}` | `{_cell(default)}` | {_cell(description)} |")
    before, section = text.split(f"{HEADING}\n")
    introduction = section.split("\n| variable |")[0]
    return f"{before}{HEADING}\n{introduction}\n" + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(), ROOT / "roles"))

"""The commands of the documentation give ansible-playbook what they seem to give."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from ansible.parsing.splitter import parse_kv

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "playbooks").glob("*.yml"))]
PLAYBOOK = re.compile(r"ansible-playbook .*?(?:\S+)\.yml [^\n`]*")


def extra_variables(page: Path) -> list[str]:
    """What follows each -e of the ansible-playbook commands of a page, as the shell gives it; JSON is left out."""
    found = []
    for command in PLAYBOOK.findall(page.read_text(encoding="utf-8")):
        words = shlex.split(command.replace("[", " ").replace("]", " "), comments=True)
        found += [words[index + 1] for index, word in enumerate(words[:-1]) if word == "-e"]
    return [text for text in found if not text.startswith("{")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_value_of_several_words_arrives_whole(page: Path) -> None:
    """Ansible splits a value at its spaces unless it is quoted within what the shell gives."""
    for text in extra_variables(page):
        assert "_raw_params" not in parse_kv(text), text


def test_there_are_commands_to_look_at() -> None:
    assert "reason=release 7 needs fresh data" in [
        f"{name}={value}"
        for text in extra_variables(ROOT / "docs/runbooks.md")
        for name, value in parse_kv(text).items()
    ]

"""The page's table of the roles' settings is what the script writes from the defaults."""

from __future__ import annotations

from pathlib import Path

from scripts.document_roles import page, settings


def test_the_committed_table_is_up_to_date(repository: Path) -> None:
    text = (repository / "docs" / "configuration.md").read_text()
    assert page(text, repository / "roles") == text, "run make docs"


def test_every_setting_of_a_role_has_a_comment(repository: Path) -> None:
    found = [one for defaults in repository.glob("roles/*/defaults/main.yml") for one in settings(defaults)]
    assert found
    assert [name for name, _, comment in found if not comment] == []


def test_comments_and_values_over_several_lines_are_read_whole(tmp_path: Path) -> None:
    defaults = tmp_path / "main.yml"
    defaults.write_text("---\n# First line,\n# second.\none: 1\n# Of two.\ntwo:\n  - a\n  - b\n")
    assert list(settings(defaults)) == [("one", "1", "First line, second."), ("two", "- a - b", "Of two.")]

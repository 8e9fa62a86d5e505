"""The page's table of the roles' settings is what the script writes from the roles."""

from __future__ import annotations

from pathlib import Path

import yaml

from scripts.document_roles import page, settings


def test_the_committed_table_is_up_to_date(repository: Path) -> None:
    text = (repository / "docs" / "configuration.md").read_text()
    assert page(text, repository / "roles") == text, "run make docs"


def test_every_setting_of_a_role_is_described(repository: Path) -> None:
    roles = [defaults.parent.parent for defaults in repository.glob("roles/*/defaults/main.yml")]
    assert roles
    assert [name for role in roles for name, _, description in settings(role) if not description] == []


def test_a_default_and_its_description_make_a_row(tmp_path: Path) -> None:
    options = {"some_rate": {"description": "A | B."}, "other": {"description": "In the inventories."}}
    for name, content in (
        ("defaults/main.yml", {"other": 1, "some_rate": 2}),
        ("meta/argument_specs.yml", {"argument_specs": {"main": {"options": options}}}),
    ):
        file = tmp_path / "some" / name
        file.parent.mkdir(parents=True)
        file.write_text(yaml.safe_dump(content))
    text = (
        "| `other` | 1 |\n\n## The settings of the roles\n\nText.\n\n| variable | default | meaning |\n|---|---|---|\n"
    )
    assert page(text, tmp_path) == f"{text}| `some_rate` | `2` | A \\| B. |\n"

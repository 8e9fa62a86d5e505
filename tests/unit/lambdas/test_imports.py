"""What a cold start of each function imports: modules, not milliseconds."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

LAMBDAS = Path(__file__).parents[3] / "lambdas"
HANDLERS = sorted(file.stem for file in (LAMBDAS / "aurora_restore" / "handlers").glob("[a-z]*.py"))
DATABASE_STEPS = {"mask_data", "reset_credentials", "setup_db_users", "verify_restore"}
PLANNING_STEPS = {"check_rollback", "snapshot_check"}
DRIVERS = {"pg8000", "pymysql", "scramp", "asn1crypto"}
PROBE = """
import sys
import aurora_restore.handlers.{handler}
{then}
print(*sorted(sys.modules))
"""


@cache
def imported(handler: str, then: str = "") -> set[str]:
    """The modules in a fresh process after the handler was imported, by their first two names."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(handler=handler, then=then)],
        env={"PYTHONPATH": str(LAMBDAS)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {".".join(name.split(".")[:depth]) for name in done.stdout.split() for depth in (1, 2, 3)}


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_cold_start_imports_no_database_driver(handler: str) -> None:
    assert not imported(handler) & DRIVERS


@pytest.mark.parametrize("handler", HANDLERS)
def test_only_planning_imports_the_schema_of_requests(handler: str) -> None:
    assert ("marshmallow" in imported(handler)) <= (handler in PLANNING_STEPS)


@pytest.mark.parametrize("handler", sorted(set(HANDLERS) - DATABASE_STEPS))
def test_steps_without_a_database_import_nothing_for_reading_secrets(handler: str) -> None:
    assert "aurora_restore.aws.secrets" not in imported(handler)


@pytest.mark.parametrize(
    ("engine", "own", "other"), [("postgresql", "pg8000", "pymysql"), ("mysql", "pymysql", "pg8000")]
)
def test_an_engine_brings_its_own_driver_alone(engine: str, own: str, other: str) -> None:
    then = f"from aurora_restore.db import connection; connection._engine('aurora-{engine}')"
    modules = imported("verify_restore", then)
    assert own in modules
    assert other not in modules


USERS = {  # package -> the packages whose modules may import from it
    "handlers": set[str](),
    "steps": {"handlers", "steps"},
    "planning": {"steps", "planning"},
}


@pytest.mark.parametrize("module", sorted((LAMBDAS / "aurora_restore").rglob("*.py")), ids=lambda path: path.stem)
def test_imports_go_one_way(module: Path) -> None:
    own = module.relative_to(LAMBDAS / "aurora_restore").parts[0]
    for line in module.read_text("utf-8").splitlines():
        found = re.match(r"\s*from aurora_restore\.(\w+)", line)
        if found and found[1] in USERS:
            assert own in USERS[found[1]], line

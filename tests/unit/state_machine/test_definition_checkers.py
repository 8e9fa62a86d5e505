"""Two independent checkers find nothing wrong with the definition as it is deployed, and do find what is planted."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from statelint.config import Config
from statelint.linter import Linter

from aurora_deploy.families.asl import render

PLACEHOLDERS = {
    "FunctionArnPrefix": "arn:aws:lambda:us-east-1:123456789012:function:aurora-restore",
    "FunctionAlias": "live",
    "StateMachineTimeoutSeconds": 7200,
    "TaskTimeoutSeconds": 330,
    "MaxRetries": 3,
    "RetryIntervalSeconds": 3,
    "RetryBackoffRate": 2.0,
}
ASL_VALIDATOR = Path("node_modules/.bin/asl-validator")


@pytest.fixture
def definition(repository: Path) -> dict[str, Any]:
    """The definition as the deployment fills it in."""
    return render((repository / "state_machine" / "aurora_restore.asl.json").read_text(), PLACEHOLDERS)


def statelint(definition: dict[str, Any], repository: Path) -> list[str]:
    """The problems that PyPI's statelint finds, JSONata expressions included."""
    config = Config(evaluate_jsonata=True)
    return [str(problem) for problem in Linter.validate(json.dumps(definition), config)]


def asl_validator(definition: dict[str, Any], repository: Path) -> list[str]:
    """The problems that npm's asl-validator finds."""
    program = repository / ASL_VALIDATOR
    if not (program.is_file() and shutil.which("node")):
        # Node is a system package, which `make test` may not install; .ci/run does, so that CI never skips.
        pytest.skip("asl-validator is not installed: it needs node and npm (apt-get install npm), then make venv-test")
    command = [str(program), "--json-definition", json.dumps(definition)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else (done.stdout + done.stderr).splitlines()


Checker = Callable[[dict[str, Any], Path], list[str]]
both = pytest.mark.parametrize("checker", [statelint, asl_validator])


@both
def test_the_definition_is_sound(checker: Checker, definition: dict[str, Any], repository: Path) -> None:
    assert checker(definition, repository) == []


@both
def test_a_transition_to_nowhere_is_found(checker: Checker, definition: dict[str, Any], repository: Path) -> None:
    definition["States"]["SnapshotCheck"]["Next"] = "Nowhere"
    assert "Nowhere" in "\n".join(checker(definition, repository))


@both
def test_a_wrong_field_is_found(checker: Checker, definition: dict[str, Any], repository: Path) -> None:
    definition["States"]["SnapshotCheck"]["TimeoutSeconds"] = "soon"
    assert checker(definition, repository)

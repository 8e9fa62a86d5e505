"""The role preflight as a deployment meets it: through ansible-playbook, with the committed inventories."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import Emulator


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a local AWS that is empty."""
    with Emulator(tmp_path_factory.mktemp("preflight") / "aws") as emulator:
        yield emulator.endpoint_url


def preflight(
    repository: Path, *options: str, endpoint: str = "", variables: dict[str, Any] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run site.yml with a tag that no role has: only what always runs does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    if endpoint:
        environment["AWS_ENDPOINT_URL"] = endpoint
    extra = {"lambda_rds_ca_bundle": "", **(variables or {})}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "site.yml", "--tags", "preflight", *options]
    if options:  # without an inventory there shall be no variables at all
        command += ["-e", json.dumps(extra)]
    return subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("mode", [[], ["--check", "--diff"]])
def test_a_good_configuration_passes_in_every_mode(repository: Path, endpoint: str, mode: list[str]) -> None:
    done = preflight(repository, "-i", "inventories/local", *mode, endpoint=endpoint)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "TASK [preflight : " in done.stdout
    assert "changed=0" in done.stdout


def test_credentials_of_another_account_are_refused_with_both_accounts(repository: Path, endpoint: str) -> None:
    done = preflight(repository, "-i", "inventories/local", endpoint=endpoint, variables={"account_id": "111111111111"})
    assert done.returncode != 0
    assert "belong to account 000000000000" in done.stdout + done.stderr
    assert "inventory is for account 111111111111" in done.stdout + done.stderr


def test_without_an_inventory_the_fix_is_to_name_one(repository: Path) -> None:
    done = preflight(repository)
    assert done.returncode != 0
    assert "Fix: add -i inventories/<environment>" in done.stdout + done.stderr


def test_every_mistake_is_told_at_once(repository: Path) -> None:
    variables = {
        "account_id": 12,
        "region": "eu-west-9",
        "name_prefix": "{{ missing_variable }}",
        "lambda_memory_size": 64,
        "subnet_ids": ["subnet-12345678"],
        "restore_targets": {"orders-staging": {"sorce": {}}},
    }
    done = preflight(repository, "-i", "inventories/dev", variables=variables)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    for told in (
        "account_id is 12",
        "region 'eu-west-9' is not known",
        "name_prefix cannot be read",
        "lambda_memory_size is 64",
        "subnet_ids is set but vpc_id is empty",
        "restore_targets.orders-staging.sorce",
    ):
        assert told in output
    assert "changed=0" in output

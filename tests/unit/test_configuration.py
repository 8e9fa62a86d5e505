"""The inventories, the documentation, preflight and the functions' settings name the same variables and defaults."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from aurora_deploy.preflight.rules import RULES
from aurora_restore.errors import InvalidSettings
from aurora_restore.settings import Settings

ENVIRONMENTS = ("local", "dev", "test", "prod")

# The configuration guide's variables: what each inventory calls them, and the guide's default.
GUIDE_REQUIRED = {
    "ENVIRONMENT": "environment_name",
    "REGION": "region",
    "DYNAMODB_TABLE_NAME": "dynamodb_table_name",
    "SNS_TOPIC_ARN": "sns_topic_arn",
    "KMS_KEY_ID": "kms_key_id",
    "VPC_ID": "vpc_id",
    "SUBNET_IDS": "subnet_ids",
    "SECURITY_GROUP_IDS": "security_group_ids",
}
GUIDE_DEFAULTS = {
    "LOG_LEVEL": ("log_level", "INFO"),
    "MAX_RETRIES": ("max_retries", 3),
    "RETRY_INTERVAL_SECONDS": ("retry_interval_seconds", 3),
    "RETRY_BACKOFF_RATE": ("retry_backoff_rate", 2),
    "STATE_MACHINE_TIMEOUT_SECONDS": ("state_machine_timeout_seconds", 7200),
    "LAMBDA_TIMEOUT_SECONDS": ("lambda_timeout_seconds", 300),
    "LAMBDA_MEMORY_SIZE": ("lambda_memory_size", 256),
}
REQUIRED_VALUES = {
    "ENVIRONMENT": "dev",
    "REGION": "us-east-1",
    "ACCOUNT_ID": "123456789012",
    "DYNAMODB_TABLE_NAME": "aurora-restore-state",
    "SNS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:aurora-restore-notifications",
    "KMS_KEY_ID": "alias/aurora-restore",
    "VPC_ID": "vpc-12345678",
    "SUBNET_IDS": "subnet-12345678,subnet-87654321",
    "SECURITY_GROUP_IDS": "sg-12345678",
}


def inventory(repository: Path, environment: str) -> dict[str, Any]:
    text = (repository / "inventories" / environment / "group_vars" / "all.yml").read_text()
    return dict(yaml.safe_load(text))


def documented(repository: Path, title: str) -> list[list[str]]:
    """The rows of the table under a heading of docs/configuration.md, cells without the code marks."""
    text = (repository / "docs" / "configuration.md").read_text()
    section = text.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in row] for row in rows]


def settings_variables(repository: Path) -> set[str]:
    source = (repository / "lambdas" / "aurora_restore" / "settings.py").read_text()
    return set(re.findall(r'\.get\("([A-Z_]+)"', source))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_inventory_has_the_variables_that_preflight_checks(repository: Path, environment: str) -> None:
    assert list(inventory(repository, environment)) == list(RULES)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_guides_defaults_stand_in_every_inventory(repository: Path, environment: str) -> None:
    values = inventory(repository, environment)
    assert {name: values[name] for name, _ in GUIDE_DEFAULTS.values()} == dict(GUIDE_DEFAULTS.values())
    assert set(GUIDE_REQUIRED.values()) <= set(values)


@pytest.mark.parametrize("environment", ["dev", "test", "prod"])
def test_an_inventory_that_is_committed_passes_its_own_rules(repository: Path, environment: str) -> None:
    values = inventory(repository, environment)
    assert [mistake for name, rule in RULES.items() if (mistake := rule.mistake(name, values[name]))] == []


def test_the_environments_are_different_accounts(repository: Path) -> None:
    assert len({inventory(repository, environment)["account_id"] for environment in ENVIRONMENTS}) == len(ENVIRONMENTS)


def test_the_table_of_the_variables_is_true(repository: Path) -> None:
    dev = inventory(repository, "dev")
    rows = documented(repository, "The variables")
    assert [row[0] for row in rows] == list(RULES)
    for name, _, default, meaning, must_be in rows:
        assert json.loads(default) == dev[name], name
        assert must_be == RULES[name].expected, name
        assert meaning.endswith("."), name


def test_the_second_column_names_the_functions_variables(repository: Path) -> None:
    columns = {row[0]: row[1] for row in documented(repository, "The variables")}
    guide = {key: name for name, key in GUIDE_REQUIRED.items()} | {
        key: name for name, (key, _) in GUIDE_DEFAULTS.items()
    }
    assert guide.items() <= columns.items()
    assert {name for name in columns.values() if name} <= settings_variables(repository)


def test_every_variable_of_the_functions_is_documented(repository: Path) -> None:
    ours = {row[0] for row in documented(repository, "The environment of the functions")}
    assert ours.isdisjoint(GUIDE_REQUIRED | GUIDE_DEFAULTS)
    assert ours | set(GUIDE_REQUIRED) | set(GUIDE_DEFAULTS) == settings_variables(repository) | {"CONFIG_FILE"}


def test_the_documented_defaults_are_those_of_the_functions(repository: Path) -> None:
    settings = Settings.from_env(REQUIRED_VALUES)
    for name, (field, default) in GUIDE_DEFAULTS.items():
        assert getattr(settings, field) == default, name
    defaults = {row[0]: row[1] for row in documented(repository, "The environment of the functions")}
    assert settings.name_prefix == defaults["NAME_PREFIX"]
    assert settings.audit_table == defaults["DYNAMODB_AUDIT_TABLE_NAME"].replace("<NAME_PREFIX>", settings.name_prefix)
    assert settings.master_secret_name == defaults["MASTER_SECRET_NAME"].replace("<NAME_PREFIX>", settings.name_prefix)
    assert settings.app_secret_name == defaults["APP_SECRET_NAME"].replace("<NAME_PREFIX>", settings.name_prefix)
    assert settings.approval_max_hours == int(defaults["APPROVAL_MAX_HOURS"])
    assert settings.audit_ttl_days == int(defaults["AUDIT_TTL_DAYS"])
    assert settings.rds_ca_bundle.name == defaults["RDS_CA_BUNDLE"]


@pytest.mark.parametrize("name", sorted(REQUIRED_VALUES))
def test_what_is_required_is_required(name: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        Settings.from_env({key: value for key, value in REQUIRED_VALUES.items() if key != name})

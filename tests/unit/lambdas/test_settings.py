"""The functions' configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aurora_restore.errors import InvalidSettings
from aurora_restore.settings import ZIP_ROOT, Settings
from tests.unit.lambdas.pipeline import ENVIRONMENT


def test_defaults_are_the_guides() -> None:
    settings = Settings.from_env(ENVIRONMENT)
    assert (settings.log_level, settings.max_retries, settings.retry_interval_seconds) == ("INFO", 3, 3)
    assert (settings.retry_backoff_rate, settings.state_machine_timeout_seconds) == (2.0, 7200)
    assert (settings.lambda_timeout_seconds, settings.lambda_memory_size) == (300, 256)
    assert settings.master_secret_name == "aurora-restore/master-credentials"
    assert settings.audit_table == "aurora-restore-audit"
    assert settings.rds_ca_bundle == ZIP_ROOT / "rds-ca-bundle.pem"
    assert settings.subnet_ids == ("subnet-1", "subnet-2")


def test_names_follow_the_prefix() -> None:
    settings = Settings.from_env({**ENVIRONMENT, "NAME_PREFIX": "second"})
    assert settings.target_tag == "second:target"
    assert settings.app_secret_name == "second/app-credentials"


def test_everything_missing_or_malformed_is_named_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_env({"ACCOUNT_ID": "12", "MAX_RETRIES": "-1", "LOG_LEVEL": "LOUD", "RETRY_BACKOFF_RATE": "0.5"})
    required = ("ENVIRONMENT", "REGION", "DYNAMODB_TABLE_NAME", "SNS_TOPIC_ARN", "KMS_KEY_ID", "VPC_ID", "SUBNET_IDS")
    for name in (*required, "SECURITY_GROUP_IDS", "ACCOUNT_ID", "MAX_RETRIES", "LOG_LEVEL", "RETRY_BACKOFF_RATE"):
        assert f"{name}:" in caught.value.message


def test_the_config_file_fills_in_and_the_environment_wins(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**ENVIRONMENT, "ENVIRONMENT": "file", "MAX_RETRIES": 5, "SUBNET_IDS": ["a", "b"]}))
    settings = Settings.from_env({"CONFIG_FILE": str(file), "ENVIRONMENT": "environment"})
    assert (settings.environment, settings.max_retries, settings.subnet_ids) == ("environment", 5, ("a", "b"))


@pytest.mark.parametrize("content", ["not json", "[]"])
def test_an_unreadable_config_file_is_an_error(tmp_path: Path, content: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(content)
    with pytest.raises(InvalidSettings, match="CONFIG_FILE"):
        Settings.from_env({**ENVIRONMENT, "CONFIG_FILE": str(file)})

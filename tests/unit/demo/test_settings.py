from __future__ import annotations

from pathlib import Path

import pytest

from demo.settings import Settings


def test_the_environment_says_where_the_demo_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEMO_PORT", "4700")
    monkeypatch.setenv("DEMO_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("DEMO_SCALE", "0.5")
    settings = Settings.from_env()
    assert (settings.port, settings.state_dir, settings.scale) == (4700, tmp_path, 0.5)
    assert f"lambda_rds_ca_bundle={tmp_path}/ca.pem" in settings.playbook
    assert settings.emulator_env.endswith(f"--state-dir {tmp_path}")
    assert settings.down == f"make demo-down DEMO_STATE_DIR={tmp_path}"


def test_a_demo_in_the_usual_place_needs_no_options(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEMO_PORT", "DEMO_STATE_DIR", "DEMO_SCALE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(Path(__file__).resolve().parents[3])
    settings = Settings.from_env()
    assert settings.port is None
    assert settings.down == "make demo-down"
    assert "-e" not in settings.playbook
    assert settings.emulator_env == "python -m emulator env"


@pytest.mark.parametrize(
    ("name", "value"),
    [("DEMO_PORT", "http"), ("DEMO_PORT", "0"), ("DEMO_PORT", "65536"), ("DEMO_SCALE", "fast"), ("DEMO_SCALE", "-1")],
)
def test_what_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=f"{name} is '{value}'"):
        Settings.from_env()

"""What `make demo` says when it cannot go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo import __main__ as demo
from demo.show import Show
from emulator.launcher import Emulator
from emulator.settings import Settings


def test_an_interruption_is_no_traceback_and_names_both_ways_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: Show) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("DEMO_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(Show, "run", interrupted)
    assert demo.main(["up"]) == demo.INTERRUPTED
    said = capsys.readouterr().err
    assert "same command" in said
    assert f"make demo-down DEMO_STATE_DIR={tmp_path}" in said


def test_a_demo_that_runs_on_another_port_is_not_taken_for_the_one_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = Emulator(tmp_path, port=4701)
    assert running.settings == Settings(tmp_path, port=4701)
    monkeypatch.setattr(Emulator, "find", classmethod(lambda *_: running))
    monkeypatch.setattr(Emulator, "pid", property(lambda _: 1))
    monkeypatch.setenv("DEMO_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("DEMO_PORT", "4702")
    assert demo.main(["up"]) == 1
    said = capsys.readouterr().err
    assert "runs on port 4701 already" in said
    assert f"make demo-down DEMO_STATE_DIR={tmp_path}" in said
    assert "Logs:" not in said  # there are none

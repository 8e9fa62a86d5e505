from __future__ import annotations

import sys
from pathlib import Path

import pytest

from demo.console import Console, DemoError

TASKS = r"""
print("TASK [kms : Validating arguments against arg spec 'main' - x] ****")
print("TASK [kms : Ensure the key exists] ****")
print("changed: [localhost]")
"""


def run(code: str, log: Path, *, whole: bool = False) -> str:
    return Console().run([sys.executable, "-c", code], log, env={"COLOUR": "red"}, cwd=log.parent, whole=whole)


def test_the_screen_gets_the_tasks_and_the_log_gets_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = run(TASKS, tmp_path / "logs" / "deploy.log")
    shown = capsys.readouterr().out.splitlines()
    assert [line.split(" s  ")[1] for line in shown[1:] if " s  " in line] == ["kms : Ensure the key exists"]
    assert (tmp_path / "logs" / "deploy.log").read_text(encoding="utf-8") == output
    assert "changed: [localhost]" in output


def test_whole_output_is_shown_where_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("import os; print(os.environ['COLOUR'])", tmp_path / "x.log", whole=True)
    assert capsys.readouterr().out.splitlines()[-1] == "    red"


def test_a_failed_command_names_its_log_and_shows_its_end(tmp_path: Path) -> None:
    log = tmp_path / "deploy.log"
    with pytest.raises(DemoError, match=r"(?s)failed with code 3; its log is .*deploy\.log.*the reason"):
        run("print('the reason'); raise SystemExit(3)", log)


def test_each_part_is_timed_and_summed(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    with console.part("first"):
        pass
    with console.part("second"):
        pass
    console.table()
    output = capsys.readouterr().out
    assert "[2] second" in output
    assert [line.split("s  ")[1] for line in output.splitlines()[-3:]] == ["first", "second", "all"]

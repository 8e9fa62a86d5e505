"""Medians, ratios and the file of results."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from benchmarks import orchestration, report
from benchmarks.deployment import section
from benchmarks.measure import Measured


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    for title, text in (("One", "old"), ("Two", "two\n\n### part"), ("One", "new")):
        report.write(file, title, text)
    written = file.read_text("utf-8")
    assert [line for line in written.splitlines() if line.startswith("## ")] == ["## One", "## Two"]
    assert "new" in written
    assert "### part" in written
    assert "old" not in written


def test_ratios_are_of_medians() -> None:
    results = {
        ("ours", 0, "none"): [Measured(seconds, 90, 100) for seconds in (1.0, 9.0, 2.0)],
        ("plain", 0, "none"): [Measured(20.0, 70, 400)],
    }
    text = section(5, {"Terraform": "not here"}, results)
    assert "| 2.00 | 0.100x | - | 100 | 90 |" in text
    assert "Skipped: Terraform: not here." in text


def test_a_replayed_restore_counts_what_it_did() -> None:
    seconds = {"restore": 600, "instances": 300}
    found = orchestration.replay(seconds, percent=False, history=[])
    assert 0 < found.lag < 0.1
    assert 4 * 51 <= found.cutover < 4 * 69 * 1.05
    assert found.transitions > found.invocations > 15
    assert 0.001 < found.dollars < 0.1


def test_history_saves_transitions() -> None:
    seconds = {"copy": 3600, "restore": 3600, "instances": 300}
    known = orchestration.replay(seconds, percent=False, history=[seconds])
    assert known.transitions < orchestration.replay(seconds, percent=False, history=[]).transitions * 0.7


def test_a_restore_of_a_day_stays_within_its_limits() -> None:
    """But for one from another region of which nothing is known: AWS tells the percent of a copy."""
    for copy, percent, known in product((False, True), (False, True), (False, True)):
        if not (copy and not percent and not known):
            found = list(orchestration.restores(24, copy=copy, percent=percent, known=known, samples=5))
            assert sum(each.transitions for each in found) / len(found) < 400
            assert sum(each.lag for each in found) / len(found) < 0.05

"""The deployment against its peers: every form on an emulator of its own, interleaved, with and without latency."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks import measure, report
from benchmarks.forms import REPOSITORY, SCENARIOS, Form, Place
from benchmarks.forms.cli import Cli
from benchmarks.forms.floor import Floor
from benchmarks.forms.ours import Ours, site
from benchmarks.forms.plain import Plain
from benchmarks.forms.terraform import Terraform
from benchmarks.measure import Measured
from benchmarks.stack import Stack
from emulator.launcher import Emulator

FORMS: tuple[type[Form], ...] = (Ours, Plain, Cli, Terraform, Floor)
WITH_LATENCY = ("cold", "none")
"""What is measured with latency as well: the whole deployment."""
Results = dict[tuple[str, int, str], list[Measured]]
"""Measurements by form, milliseconds of latency and scenario."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What to measure: `latencies` are milliseconds added to every API call."""

    runs: int
    latencies: tuple[int, ...]
    forms: tuple[str, ...]
    scenarios: tuple[str, ...]
    kept: Path | None = None
    """A file that keeps the measurements, so that a later run with other forms or more runs adds to them."""


def declared(work: Path, scenario: str, package: Path) -> Stack:
    """Return what site.yml declares in a scenario, from a check run on an empty account; builds the package too."""
    file = work / f"declared-{scenario}.json"
    with Emulator(work / "declared") as emulator:
        variables = {
            "lambda_rds_ca_bundle": str(emulator.settings.state_dir / "ca.pem"),
            "lambda_package": str(package),
        }
        command = [argument for argument in site(variables, scenario) if argument not in ("--tags", "lambda")]
        extra = {
            "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"),
            "ANSIBLE_CALLBACK_PLUGINS": str(REPOSITORY / "benchmarks" / "callbacks"),
            "ANSIBLE_CALLBACKS_ENABLED": "declared",
            "DECLARED_RESULTS": str(file),
        }
        done = subprocess.run(
            [*command, "--check"],
            cwd=work,
            env=measure.environment(emulator, extra),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise measure.RunFailed(done.stdout + done.stderr)
    return Stack.from_results(json.loads(file.read_text(encoding="utf-8")))


def run(wanted: Wanted, work: Path, say: Callable[[str], None]) -> str:
    """Measure and return the section of RESULTS.md."""
    package = work / "package.zip"
    stack, edited = declared(work, "cold", package), declared(work, "lambda", package)
    forms = [form() for form in FORMS if form.name in wanted.forms]
    skipped = {form.title: reason for form in forms if (reason := form.missing())}
    forms = [form for form in forms if form.title not in skipped]
    say(f"{stack.count} resources; forms: {', '.join(form.name for form in forms)}; skipped: {skipped or 'none'}")
    results = _load(wanted.kept)
    for number in range(wanted.runs):
        for latency in wanted.latencies:
            for form in forms:
                directory = work / f"{form.name}-{latency}-{number}"
                for scenario, measured in _measure(
                    form, directory, package, (stack, edited), wanted.scenarios, latency
                ):
                    results.setdefault((form.name, latency, scenario), []).append(measured)
                    _save(wanted.kept, results)
                    say(
                        f"  run {number + 1}, {latency} ms, {form.name}, {scenario}: {measured.seconds:.2f} s, "
                        f"{measured.calls} calls, {measured.peak_mb:.0f} MB"
                    )
    return section(stack.count, skipped, results)


def _measure(
    form: Form, directory: Path, package: Path, stacks: tuple[Stack, Stack], scenarios: tuple[str, ...], latency: int
) -> Iterator[tuple[str, Measured]]:
    """Deploy on an empty account, then run the other scenarios; where cold is not asked for, on what ours made."""
    directory.mkdir()
    with Emulator(directory / "emulator", aurora_scale=0) as emulator:
        files = directory / "files"
        files.mkdir()
        form.prepare(Place(files, package, emulator.settings.state_dir / "ca.pem"), *stacks)
        emulator.request("POST", "/_emulator/latency", {"ms": latency})
        for scenario in SCENARIOS if not latency else WITH_LATENCY:
            command = form.command(scenario)
            if scenario == "cold" and scenario not in scenarios and form.adopts:
                ours = Ours()
                ours.prepare(Place(files, package, emulator.settings.state_dir / "ca.pem"), *stacks)
                measure.run(ours.command("cold"), files, emulator, ours.environment())
            elif command and (scenario in scenarios or scenario == "cold"):
                yield scenario, measure.run(command, files, emulator, form.environment())


def section(count: int, skipped: dict[str, str], results: Results) -> str:
    """Return the measurements as Markdown: medians, ratios to the plain form and to Terraform, memory, API calls."""
    runs = {len(measured) for measured in results.values()}
    counts = " to ".join(str(number) for number in sorted({min(runs), max(runs)}))
    what = f"{count} resources, the same in every form; each form on an emulator of its own, forms interleaved; whole"
    lines = [f"{what} processes, medians of {counts} runs."]
    for latency in sorted({latency for _, latency, _ in results}):
        for scenario, title in SCENARIOS.items():
            rows = [
                _row(form.title, results, (form.name, latency, scenario))
                for form in FORMS
                if (form.name, latency, scenario) in results
            ]
            if rows:
                lines += ["", f"### {title}" + (f"; {latency} ms added to every call" if latency else ""), ""]
                lines += report.table(["form", "seconds", "of plain", "of Terraform", "API calls", "peak MB"], rows)
    lines += ["", *(f"Skipped: {title}: {reason}." for title, reason in skipped.items())]
    return "\n".join(lines).rstrip()


def _row(title: str, results: Results, key: tuple[str, int, str]) -> list[str]:
    seconds = _seconds(results, key)
    peers = (_seconds(results, (peer, *key[1:])) for peer in ("plain", "terraform"))
    ratios = [f"{seconds / peer:.3f}x" if seconds and peer else "-" for peer in peers]
    calls, peak = (median(getattr(each, name) for each in results[key]) for name in ("calls", "peak_mb"))
    return [title, f"{seconds:.2f}", *ratios, f"{calls:.0f}", f"{peak:.0f}"]


def _seconds(results: Results, key: tuple[str, int, str]) -> float | None:
    return median(each.seconds for each in results[key]) if key in results else None


def _load(kept: Path | None) -> Results:
    if kept is None or not kept.exists():
        return {}
    rows = json.loads(kept.read_text(encoding="utf-8"))
    results: Results = {}
    for name, latency, scenario, *figures in rows:
        results.setdefault((name, latency, scenario), []).append(Measured(*figures))
    return results


def _save(kept: Path | None, results: Results) -> None:
    if kept:
        rows = [[*key, *dataclasses.astuple(each)] for key, measured in results.items() for each in measured]
        kept.write_text(json.dumps(rows), encoding="utf-8")

"""`python -m benchmarks`: measures, prints, and writes benchmarks/RESULTS.md. `--help` lists the choices."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parent.parent
sys.path += [str(_REPOSITORY / "lambdas"), str(_REPOSITORY / "module_utils")]  # as the functions and Ansible have them

from benchmarks import deployment, orchestration, package, report  # noqa: E402
from benchmarks.deployment import FORMS, Wanted  # noqa: E402
from benchmarks.forms import SCENARIOS  # noqa: E402
from benchmarks.measure import RunFailed  # noqa: E402

SECTIONS = ("Deployment", "Package", "Orchestration")
RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> int:
    """Run what was asked for; 1 where a form failed."""
    names = [form.name for form in FORMS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often each form is measured (default: 3)")
    parser.add_argument("--latency", type=int, nargs="+", default=[0, 40], help="milliseconds added to every API call")
    parser.add_argument("--forms", nargs="+", default=names, choices=names, help="which forms to measure")
    parser.add_argument("--sections", nargs="+", default=SECTIONS, choices=SECTIONS, help="what to measure")
    parser.add_argument("--quick", action="store_true", help="one run, no latency")
    parser.add_argument("--scenarios", nargs="+", default=list(SCENARIOS), choices=SCENARIOS, help="what to run")
    parser.add_argument("--keep", type=Path, help="a file that collects the measurements of several invocations")
    parser.add_argument(
        "--output", type=Path, default=RESULTS, help="the file to write (default: benchmarks/RESULTS.md)"
    )
    chosen = parser.parse_args()
    runs, latencies = (1, (0,)) if chosen.quick else (chosen.runs, tuple(chosen.latency))
    wanted = Wanted(runs, latencies, tuple(chosen.forms), tuple(chosen.scenarios), chosen.keep)
    with tempfile.TemporaryDirectory(prefix="aurora-restore-bench-") as work:
        sections: dict[str, Callable[[], str]] = {
            "Deployment": lambda: deployment.run(wanted, Path(work), print),
            "Package": lambda: package.section(Path(work)),
            "Orchestration": orchestration.section,
        }
        try:
            for title in chosen.sections:
                text = sections[title]()
                print(f"\n{title}\n\n{text}")
                report.write(chosen.output, title, text)
        except RunFailed as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

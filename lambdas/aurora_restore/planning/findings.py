"""What a look of the preflight ends as: `passed`, `warning`, or `skipped` where the function's role may not look."""

from __future__ import annotations

PASSED, WARNING, SKIPPED = "passed", "warning", "skipped"

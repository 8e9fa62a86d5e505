"""The plan of the masking: which files, by their checksums."""

from __future__ import annotations

from typing import Any

from aurora_restore.errors import MaskingChanged
from aurora_restore.masking.scripts import load, set_checksum
from aurora_restore.request import Request, as_plain
from aurora_restore.settings import Settings


def plan_masking(settings: Settings, request: Request, engine: str) -> dict[str, Any]:
    """`plan.masking`. Raises MaskingFailed for files that cannot run, MaskingChanged for others than the request's."""
    if request.masking is None:
        return {"needed": False}
    wanted = as_plain(request.masking)
    name = wanted["set"] or request.target.cluster
    files = load(settings.masking_directory, name, engine, wanted["values"]).checksums()
    checksum = set_checksum(files)
    if wanted["checksum"] not in (None, checksum):
        raise MaskingChanged(
            f"The deployed masking set {name!r} has the checksum {checksum}, the request wants {wanted['checksum']}.",
            remedy="Deploy the functions (site.yml --tags lambda), so that the files you mean are those that run.",
        )
    return {**wanted, "needed": True, "set": name, "checksum": checksum, "files": files}

"""Entry point of the module aurora_restore_package; it runs in the controller's worker."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

# Ansible puts module_utils/ on the path of modules only, not on that of plugins.
sys.path.append(str(Path(__file__).resolve().parents[1] / "module_utils"))

from aurora_deploy.action import OurAction
from aurora_deploy.errors import DeployError
from aurora_deploy.families.package import PackageSpec, ensure_package


class ActionModule(OurAction):
    """Builds the Lambda package; no AWS."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Build the package and return its path, hash and size."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        args = self.arguments()
        paths = {name: Path(args[name]) for name in ("source", "requirements", "ca_bundle", "masking", "output")}
        try:
            package = ensure_package(PackageSpec(**paths, python_version=args["runtime"].removeprefix("python")))
        except DeployError as error:
            return {**result, "failed": True, "msg": f"{error}."}
        return {
            **result,
            "changed": False,
            "path": str(package.path),
            "sha256": package.sha256,
            "size": package.size,
            "built": package.built,
        }

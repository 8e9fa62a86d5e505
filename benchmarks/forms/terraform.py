"""The Terraform form: main.tf.json, where a terraform binary and the AWS provider are on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from benchmarks.forms import Form, Place
from benchmarks.forms.ours import EDITED_STEP
from benchmarks.forms.terraform_config import configuration
from benchmarks.stack import Stack

_INIT_SECONDS = 120
_PROVIDERS = {"terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}}}


class Terraform(Form):
    """`terraform apply`. TF_PLUGIN_DIR names a folder with the provider; else terraform's own configuration does."""

    name = "terraform"
    title = "Terraform"
    adopts = False  # it knows only what stands in its own state

    def missing(self) -> str | None:
        if not shutil.which("terraform"):
            return "no terraform command on the PATH"
        return _provider_missing()

    def prepare(self, place: Place, stack: Stack, edited: Stack) -> None:
        for name, each in (("main", stack), ("edited", edited)):
            folder = place.directory / name
            folder.mkdir()
            text = json.dumps(configuration(each, str(place.package)), indent=2)
            (folder / "main.tf.json").write_text(text, encoding="utf-8")
            _init(folder)
        function = next(name for name in edited.functions if name.endswith(f"-{EDITED_STEP}"))
        self._target = f'aws_lambda_function.functions["{function}"]'
        self._directory = place.directory

    def command(self, scenario: str) -> list[str]:
        state = ["-input=false", "-no-color", f"-state={self._directory / 'terraform.tfstate'}"]
        if scenario == "check":
            return ["terraform", "-chdir=main", "plan", *state]
        if scenario == "lambda":
            return ["terraform", "-chdir=edited", "apply", "-auto-approve", *state, f"-target={self._target}"]
        return ["terraform", "-chdir=main", "apply", "-auto-approve", *state]

    def environment(self) -> Mapping[str, str]:
        return {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}


@cache
def _provider_missing() -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "main.tf.json").write_text(json.dumps(_PROVIDERS), encoding="utf-8")
        try:
            _init(Path(folder))
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return f"terraform init does not find the provider hashicorp/aws (TF_PLUGIN_DIR may name it): {error}"
    return None


def _init(folder: Path) -> None:
    plugins = os.environ.get("TF_PLUGIN_DIR")
    command = ["terraform", "init", "-input=false", "-no-color", *([f"-plugin-dir={plugins}"] if plugins else [])]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_INIT_SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(" ".join(done.stderr.split())[:300])

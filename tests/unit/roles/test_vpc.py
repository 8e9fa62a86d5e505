"""The endpoints of roles/vpc, against what the functions call."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
ENDPOINTS = {"stepfunctions": "states"}  # where a client is called otherwise than its endpoint


def test_there_is_an_endpoint_for_each_service_that_the_functions_call_and_no_other() -> None:
    """Every endpoint costs by the hour in every zone, and is a way out of the network."""
    defaults = yaml.safe_load((ROOT / "roles/vpc/defaults/main.yml").read_text(encoding="utf-8"))
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "lambdas/aurora_restore").rglob("*.py"))
    called = {ENDPOINTS.get(service, service) for service in re.findall(r"\bclient\(\"([a-z]+)\"", code)}
    assert called >= {"rds", "dynamodb"}
    assert {*defaults["vpc_interface_services"], *defaults["vpc_gateway_services"]} == called


def test_sts_is_called_where_its_endpoint_answers() -> None:
    """An endpoint answers for sts.<region>.amazonaws.com; SDKs of the legacy mode call sts.amazonaws.com."""
    environment = yaml.safe_load((ROOT / "roles/lambda/vars/main.yml").read_text(encoding="utf-8"))[
        "lambda_environment"
    ]
    assert environment["AWS_STS_REGIONAL_ENDPOINTS"] == "regional"

"""Run Python functions through AWS's own runtime client instead of ministack's stand-in for it.

ministack reports every exception of a Python function as ``Runtime.HandlerError`` and lets the host's environment leak
into it. Here ``awslambdaric`` (the client of the managed runtimes) runs the deployed zip against the Runtime API that
ministack has for ``provided.*`` runtimes, so errors keep their class names, and a function sees its own variables and
those that Lambda sets (AWS Lambda Developer Guide, "Using Lambda environment variables", "Defined runtime environment
variables").
"""

from __future__ import annotations

import os
import queue
import sys
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from emulator.settings import Settings

MAX_IDLE_WORKERS = 24
_BOOTSTRAP = f'#!/bin/sh\nexec "{sys.executable}" -m awslambdaric "$_HANDLER"\n'


class PythonWorker(lambda_runtime.ProvidedWorker):  # type: ignore[misc]
    """One execution environment of a Python function."""

    def _spawn(self, init_timeout: float | None = None) -> None:
        _write_bootstrap(Path(lambda_svc._provided_runtime_code_dir(self.code_zip)))
        super()._spawn(init_timeout)

    def _build_handler_class(self, generation: int, pending: queue.Queue[Any]) -> type:
        class Buffered(super()._build_handler_class(generation, pending)):  # type: ignore[misc]
            # Header lines written one by one meet Nagle's algorithm and a delayed ACK: 40 ms a call.
            wbufsize = 1 << 16
            disable_nagle_algorithm = True

        return Buffered


def apply(settings: Settings) -> None:
    """Route every ``python*`` runtime to :class:`PythonWorker`."""
    worker_class_for = lambda_runtime._worker_class_for
    execute_warm = lambda_svc._execute_function_warm
    provided_env = lambda_svc._provided_worker_env

    def class_for(config: dict[str, Any]) -> type:
        return PythonWorker if _is_python(config) else worker_class_for(config)

    def execute(func: dict[str, Any], event: Any, request_id: str) -> Any:
        if not _is_python(func.get("config") or func):
            return execute_warm(func, event, request_id)
        result = lambda_svc._execute_function_provided_warm(func, event, request_id)
        _end_surplus_workers()
        return result

    def worker_env(config: dict[str, Any], code_dir: str, port: int) -> dict[str, str]:
        if _is_python(config):
            return _environment(config, code_dir, port, settings)
        return dict(provided_env(config, code_dir, port))

    lambda_svc._PROVIDED_CODE_CACHE = str(settings.tmp_dir / "functions")
    lambda_runtime._worker_class_for = class_for
    lambda_svc._execute_function_warm = execute
    lambda_svc._provided_worker_env = worker_env


def _is_python(config: dict[str, Any]) -> bool:
    return str(config.get("Runtime", "")).startswith("python")


def _write_bootstrap(code_dir: Path) -> None:
    bootstrap = code_dir / "bootstrap"
    with lambda_svc._provided_code_lock:
        if not bootstrap.exists():
            bootstrap.write_text(_BOOTSTRAP, encoding="utf-8")
            bootstrap.chmod(0o755)


def _environment(config: dict[str, Any], code_dir: str, port: int, settings: Settings) -> dict[str, str]:
    _, region = lambda_runtime._account_region_from_function_config(config)
    name = config["FunctionName"]
    logging = config.get("LoggingConfig") or {}
    credentials = {key: value for key, value in lambda_runtime.execution_credentials(config).items() if value}
    own = (config.get("Environment") or {}).get("Variables") or {}
    return {
        **own,
        **credentials,
        "_HANDLER": config["Handler"],
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON" if logging.get("LogFormat") == "JSON" else "TEXT",
        "AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup") or f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_LEVEL": logging.get("ApplicationLogLevel") or "INFO",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"[{config.get('Version', '$LATEST')}]{lambda_svc.new_uuid().replace('-', '')}",
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_REGION": region,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "LAMBDA_TASK_ROOT": code_dir,
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(settings.tmp_dir),
        "TZ": ":UTC",
    }


def _end_surplus_workers() -> None:
    """Keep at most ``MAX_IDLE_WORKERS`` warm: ministack never ends the first one of a version of a function."""
    with lambda_runtime._lock:
        pools = lambda_runtime._workers.items()
        idle = [(key, worker) for key, pool in pools for worker in pool if not worker.in_use]
        idle.sort(key=lambda entry: entry[1].last_used)
        surplus = idle[: max(0, len(idle) - MAX_IDLE_WORKERS)]
        for key, worker in surplus:
            lambda_runtime._workers[key].remove(worker)
            if not lambda_runtime._workers[key]:
                del lambda_runtime._workers[key]
    lambda_runtime.kill_workers([worker for _, worker in surplus])

"""What Aurora offers here: engine versions, parameter group families, instance classes. A small, plausible subset."""

from __future__ import annotations

from .errors import invalid_combination, invalid_value

DEFAULT_PORTS = {"aurora-postgresql": 5432, "aurora-mysql": 3306}
LOG_TYPES = {
    "aurora-postgresql": ["postgresql", "instance", "iam-db-auth-error"],
    "aurora-mysql": ["audit", "error", "general", "slowquery", "iam-db-auth-error", "instance"],
}
VERSIONS = {
    "aurora-postgresql": ["14.15", "15.10", "15.12", "16.6", "16.8", "16.9", "17.4", "17.5"],
    "aurora-mysql": [
        "8.0.mysql_aurora.3.08.2",
        "8.0.mysql_aurora.3.09.0",
        "8.0.mysql_aurora.3.10.0",
        "8.0.mysql_aurora.3.10.1",
    ],
}
# What a request without EngineVersion gets, in every region: not the newest, and not a snapshot's own.
DEFAULT_VERSIONS = {"aurora-postgresql": "16.8", "aurora-mysql": "8.0.mysql_aurora.3.08.2"}
_SIZES = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge")
INSTANCE_CLASSES = [
    "db.serverless",
    *(f"db.{kind}.{size}" for kind in ("t3", "t4g") for size in ("medium", "large")),
    *(f"db.{kind}.{size}" for kind in ("r5", "r6g", "r6i", "r7g", "r7i", "r8g") for size in _SIZES),
]


def check_engine(engine: str) -> str:
    """Raises RdsError InvalidParameterValue for an engine that is not Aurora."""
    if engine not in VERSIONS:
        raise invalid_value(f"Invalid DB engine: {engine}. The emulator offers {', '.join(VERSIONS)}.")
    return engine


def check_version(engine: str, version: str | None) -> str:
    """The version that a request means. Raises RdsError InvalidParameterCombination for one that does not exist."""
    if version is None:
        return DEFAULT_VERSIONS[engine]
    if version not in VERSIONS[engine]:
        raise invalid_combination(f"Cannot find version {version} for {engine}")
    return version


def check_upgrade(engine: str, current: str, wanted: str) -> None:
    """Raises RdsError InvalidParameterCombination for a step back."""
    if version_key(wanted) < version_key(current):
        raise invalid_combination(f"Cannot upgrade {engine} from {current} to {wanted}")


def version_key(version: str) -> tuple[int, ...]:
    """Sorts versions as numbers."""
    return tuple(int(part) for part in version.replace("mysql_aurora.", "").split("."))


def family(engine: str, version: str) -> str:
    """The parameter group family of a version."""
    major = "8.0" if engine == "aurora-mysql" else version.split(".")[0]
    return f"{engine}{major}"


def families() -> list[tuple[str, str]]:
    """Every family with its engine."""
    return sorted({(family(engine, version), engine) for engine, versions in VERSIONS.items() for version in versions})


def default_cluster_group(engine: str, version: str) -> str:
    """The name of the cluster (and instance) parameter group that AWS provides."""
    return f"default.{family(engine, version)}"

"""Aurora for the local AWS: the RDS API's cluster half, with a real database server behind every cluster.

The server calls `install` before `ministack.app.main()` and `shutdown` when it ends, in the same process; `clean`
removes what a killed emulator left. `docs/emulator-aurora.md` says what is real, what is not, and why this is built on
neither ministack's nor moto's RDS.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .world import World

__all__ = [
    "Settings",
    "clean",
    "copies_tags_to_snapshots",
    "install",
    "set_scale",
    "shutdown",
    "tagged_resources",
]

_world: World | None = None


class Settings(Protocol):
    """What the launcher tells this package."""

    @property
    def state_dir(self) -> Path:
        """The emulator's directory: `ca.pem` and the databases' data go here."""

    @property
    def aurora_scale(self) -> float:
        """How much of AWS's real delay every state takes: 0 = none, 1 = all of it."""

    @property
    def endpoint_port(self) -> int:
        """The port of the emulated AWS; it keeps the cluster addresses of two emulators apart."""


def install(settings: Settings) -> None:
    """Put this package in the place of ministack's RDS; call it in the process that will serve, before it serves.

    Raises RuntimeError when it is installed already.
    """
    # Imported here, so that `clean` works where neither ministack nor cryptography is installed.
    from .hook import attach
    from .world import World

    global _world
    if _world is not None:
        raise RuntimeError("the Aurora emulator is installed already: call shutdown() first")
    _world = World(settings.state_dir, settings.aurora_scale, str(settings.endpoint_port))
    attach(_world)


def set_scale(scale: float) -> None:
    """Scale all delays by `scale` from now on, running ones too.

    Raises RuntimeError before `install`, ValueError below 0.
    """
    if _world is None:
        raise RuntimeError("the Aurora emulator is not installed")
    _world.clock.set_scale(scale)


def tagged_resources(account: str, region: str) -> dict[str, dict[str, str]]:
    """The tags of every cluster, instance and snapshot of an account in a region, by ARN; before `install`, none."""
    if _world is None:
        return {}
    with _world.lock:
        realm = _world.realm(account, region)
        found = [*realm.clusters.values(), *realm.instances.values(), *realm.snapshots.values()]
        return {resource.arn: dict(resource.tags) for resource in found}


def copies_tags_to_snapshots(account: str, region: str, cluster: str) -> bool:
    """Whether a cluster's snapshots get its tags; False for one that does not exist."""
    if _world is None:
        return False
    with _world.lock:
        found = _world.realm(account, region).clusters.get(cluster.lower())
        return found is not None and bool(found.attributes["CopyTagsToSnapshot"])


def shutdown() -> None:
    """Stop every database server and listener of this process and delete their data; without `install`, nothing."""
    global _world
    if _world is not None:
        _world.close()
        _world = None


def clean(state_dir: Path) -> None:
    """Stop the servers and delete the data that a killed emulator with this state directory left."""
    from .engines.host import Host

    Host(state_dir).remove()

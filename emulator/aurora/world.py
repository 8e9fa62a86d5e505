"""The emulator as a whole: every realm, the servers, the network, and the work that goes on between two calls."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .ca import CertificateAuthority
from .clock import Clock
from .engines import Engines
from .engines.host import Host
from .front import Addresses, Endpoint, Front
from .model import Cluster, Instance, Realm, Resource, Snapshot

_log = logging.getLogger("aurora")


@dataclass
class Change:
    """A change of state that takes time: `work` without the lock, then what is left of the delay, then `finish` under
    the lock. A change without work and delay is over before the answer to its call is sent."""

    resource: Resource
    seconds: float
    finish: Callable[[], None]
    work: Callable[[], None] | None = None
    cancelled: threading.Event | None = None
    failed_status: str = "failed"


class World:
    """All state. `lock` guards it; API calls hold it from parsing to rendering."""

    def __init__(self, state_dir: Path, scale: float, salt: str) -> None:
        self.lock = threading.RLock()
        self.clock = Clock(scale)
        self.host = Host(state_dir)
        self.host.prepare()
        self.engines = Engines(self.host)
        self.authority = CertificateAuthority(state_dir / "ca.pem")
        self.front = Front(self.authority)
        self.addresses = Addresses(salt)
        self._realms: dict[tuple[str, str], Realm] = {}
        self._changes: list[Change] = []
        self._closed = False
        # The first cluster should not wait for its engine's template.
        self._warming = threading.Thread(target=self.engines.warm, name="aurora-warm", daemon=True)
        self._warming.start()

    def realm(self, account: str, region: str) -> Realm:
        """The realm of an account in a region, made when it is first seen."""
        return self._realms.setdefault((account, region), Realm(account, region))

    def realms(self) -> list[Realm]:
        """All realms."""
        return list(self._realms.values())

    def begin(self, change: Change) -> None:
        """Queue a change; it starts when the call that asked for it has been answered."""
        self._changes.append(change)

    def start_changes(self) -> None:
        """Start what was queued. Called under the lock, when the answer has been rendered."""
        changes, self._changes = self._changes, []
        for change in changes:
            if change.work is None and self.clock.fraction(time.monotonic(), change.seconds) >= 1:
                change.finish()
            else:
                name = f"aurora-{change.resource.name}"
                threading.Thread(target=self._carry_out, args=(change,), name=name, daemon=True).start()

    def _carry_out(self, change: Change) -> None:
        started = time.monotonic()
        try:
            if change.work is not None:
                change.work()
            self.clock.wait(started, change.seconds, change.cancelled)
            with self.lock:
                if not self._closed:
                    change.finish()
                    self.start_changes()
        except Exception:
            if self._closed:
                return
            _log.exception("%s became %s", change.resource.arn, change.failed_status)
            with self.lock:
                change.resource.status = change.failed_status

    def cluster_endpoint(self, cluster: Cluster, kind: str = "cluster") -> Endpoint:
        """A cluster's own endpoint, or its `reader` one."""
        return self.addresses.endpoint(cluster.realm.account, cluster.realm.region, kind, cluster.name)

    def instance_endpoint(self, instance: Instance) -> Endpoint:
        """An instance's endpoint."""
        return self.addresses.endpoint(instance.realm.account, instance.realm.region, "instance", instance.name)

    def start_database(self, cluster: Cluster) -> None:
        """Start the server of a cluster that gets its first instance. Slow: call it without the lock."""
        if cluster.database.engine.own_tls:
            with self.lock:
                self._certify(cluster)
        cluster.database.start()

    def publish(self, cluster: Cluster) -> None:
        """Make the network match the state: a cluster is reached while one of its instances serves, under the names it
        has now."""
        serving = [] if cluster.refuses_connections else [member for member in cluster.instances if member.serving]
        endpoints = [self.instance_endpoint(member) for member in serving]
        if serving:
            endpoints += [self.cluster_endpoint(cluster), self.cluster_endpoint(cluster, "reader")]
            if cluster.database.engine.own_tls:
                self._certify(cluster)
        wanted = {endpoint.address for endpoint in endpoints}
        for address in cluster.open_addresses - wanted:
            self.front.close(address)
        for endpoint in endpoints:
            self.front.open(endpoint, cluster.attributes["Port"], cluster.engine, cluster.database.socket)
        cluster.open_addresses = wanted

    def _certify(self, cluster: Cluster) -> None:
        endpoints = [self.cluster_endpoint(cluster), self.cluster_endpoint(cluster, "reader")]
        endpoints += [self.instance_endpoint(member) for member in cluster.instances]
        certificate = self.authority.issue([endpoint.address for endpoint in endpoints], endpoints[0].dns_name)
        cluster.database.use_certificate(*certificate)

    def forget_image(self, snapshot: Snapshot) -> None:
        """Delete the image of a snapshot that is gone, unless another snapshot shares it."""
        images = {other.image for realm in self.realms() for other in realm.snapshots.values()}
        if snapshot.image is not None and snapshot.image not in images:
            self.host.delete(snapshot.image)

    def reset(self) -> None:
        """Forget every resource and stop every server; the endpoints' addresses stay."""
        with self.lock:
            for realm in self.realms():
                for cluster in realm.clusters.values():
                    for address in cluster.open_addresses:
                        self.front.close(address)
            self._realms.clear()
            self.engines.destroy_all()

    def close(self) -> None:
        """Stop everything and delete all data."""
        self._closed = True
        self.clock.close()
        self._warming.join()
        self.front.stop()
        self.engines.destroy_all()
        self.host.remove()

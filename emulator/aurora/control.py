"""`/_aurora/...`: what tests and demos need and no AWS API offers. Bodies and answers are JSON.

    POST /_aurora/scale                                  {"scale": 0.1}
    POST /_aurora/clusters/<id>/refuse_connections       {"refuse": true}
    POST /_aurora/snapshots                              {"cluster": "...", "id": "rds:...", "type": "automated"}
    POST /_aurora/quotas                                 {"DBClusters": 1}
    POST /_aurora/tags                                   {"arn": "...", "tags": {"aws:...": "..."}}

The realm is the signed request's; unsigned, it is the query's `account` and `region`, or ministack's default ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from . import rules
from .actions import tags
from .actions.snapshots import begin_snapshot
from .errors import RdsError, invalid_value
from .model import Realm
from .protocol import Response
from .world import World

PREFIX = "/_aurora/"

Handler = Callable[[World, Realm, dict[str, Any]], dict[str, Any]]


def handle(world: World, realm: Realm, path: str, body: bytes) -> Response:
    """Answer one control request."""
    try:
        given = json.loads(body or b"{}")
        with world.lock:
            answer = _route(world, realm, path.removeprefix(PREFIX).strip("/"), given)
            world.start_changes()
        return _json(200, answer)
    except RdsError as error:
        return _json(400, {"error": error.name, "message": error.message})
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        return _json(400, {"error": "BadRequest", "message": f"{type(error).__name__}: {error}"})


def _route(world: World, realm: Realm, route: str, given: dict[str, Any]) -> dict[str, Any]:
    kind, _, rest = route.partition("/")
    name, _, verb = rest.partition("/")
    if kind == "clusters" and verb == "refuse_connections":
        return _refuse(world, realm, name, bool(given["refuse"]))
    routes: dict[str, Handler] = {"scale": _scale, "snapshots": _snapshot, "quotas": _quotas, "tags": _tags}
    if route not in routes:
        raise invalid_value(f"{PREFIX}{route} is not a control: see emulator/aurora/control.py")
    return routes[route](world, realm, given)


def _scale(world: World, realm: Realm, given: dict[str, Any]) -> dict[str, Any]:
    world.clock.set_scale(float(given["scale"]))
    return {"scale": float(given["scale"])}


def _refuse(world: World, realm: Realm, name: str, refuse: bool) -> dict[str, Any]:
    cluster = rules.cluster(realm, name)
    cluster.refuses_connections = refuse
    world.publish(cluster)
    return {"cluster": cluster.name, "refuse": refuse}


def _snapshot(world: World, realm: Realm, given: dict[str, Any]) -> dict[str, Any]:
    cluster = rules.available_cluster(rules.cluster(realm, given["cluster"]))
    name, kind = str(given["id"]).lower(), given.get("type", "automated")
    if kind not in ("automated", "awsbackup"):
        raise invalid_value(f"{kind}: take manual snapshots with CreateDBClusterSnapshot")
    if name in realm.snapshots:
        raise RdsError("DBClusterSnapshotAlreadyExistsFault", f"DB Cluster Snapshot already exists: {name}")
    begin_snapshot(world, realm, cluster, name, {}, kind)
    return {"arn": realm.snapshots[name].arn}


def _quotas(world: World, realm: Realm, given: dict[str, Any]) -> dict[str, Any]:
    if unknown := given.keys() - realm.quotas.keys():
        raise invalid_value(f"unknown quotas: {', '.join(sorted(unknown))}")
    realm.quotas |= {name: int(value) for name, value in given.items()}
    return realm.quotas


def _tags(world: World, realm: Realm, given: dict[str, Any]) -> dict[str, Any]:
    resource = tags.find(realm, given["arn"])
    resource.tags |= {str(key): str(value) for key, value in given["tags"].items()}
    return resource.tags


def _json(status: int, answer: dict[str, Any]) -> Response:
    return status, {"Content-Type": "application/json"}, json.dumps(answer).encode()

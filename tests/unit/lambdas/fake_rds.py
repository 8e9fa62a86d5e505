"""An RDS client that keeps clusters, instances and snapshots in memory, with the states and faults of the real one.

Every call is checked against botocore's own model of the API. Time comes from a FakeClock; creating, copying, renaming
and deleting take `delay` seconds. `kill` and `fail` inject what can go wrong.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from tests.unit.lambdas.fake_clock import FakeClock

ACCOUNT = "123456789012"
CLONES = 15
TAKEN = ("Port", "DeletionProtection", "BackupRetentionPeriod", "PreferredBackupWindow")  # by both restores as given
_VERBS = ("describe_", "copy_", "restore_", "modify_", "create_", "delete_", "add_", "remove_", "enable_")


class Killed(BaseException):
    """The function's process died here."""


@cache
def _model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("rds", "service-2"))


def model_without(shape: str, *members: str) -> ServiceModel:
    """The API as an SDK knew it before `shape` had `members`."""
    description = copy.deepcopy(dict(Loader().load_service_model("rds", "service-2")))
    for member in members:
        del description["shapes"][shape]["members"][member]
    return ServiceModel(description)


class Meta:
    """What a client tells of itself; another `service_model` makes it one of another SDK."""

    def __init__(self, region: str) -> None:
        self.region_name = region
        self.service_model = _model()


class FakeRds:
    """Only what the facade calls. `clusters`, `instances` and `snapshots` hold API shapes by resource id."""

    def __init__(self, clock: FakeClock, region: str = "us-east-1", delay: int = 60) -> None:
        self.meta = Meta(region)
        self.clusters: dict[str, dict[str, Any]] = {}
        self.instances: dict[str, dict[str, Any]] = {}
        self.snapshots: dict[str, dict[str, Any]] = {}
        self.shared: dict[str, dict[str, Any]] = {}  # what other accounts share, by ARN
        self.regions: dict[str, FakeRds] = {region: self}
        self.changes: list[str] = []
        self.made: list[str] = []
        self.kill: Callable[[int, str], str] = lambda _number, _what: ""
        self.fail: dict[str, list[str]] = {}
        self.deletable: tuple[str, ...] = ()
        self._clock = clock
        self.delay = delay
        self._later: list[tuple[datetime, Callable[[], None]]] = []
        self._serial = 0

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        if not name.startswith(_VERBS):
            raise AttributeError(name)
        action = getattr(self, f"_{name}")

        def operation(**arguments: Any) -> dict[str, Any]:
            self._settle()
            given = {key: value for key, value in arguments.items() if key != "SourceRegion"}
            _check(self.meta.service_model, name, given)
            if self.fail.get(name):
                raise self._fault(self.fail[name].pop(0), name)
            if name.startswith("describe_"):
                return action(**arguments)
            self.changes.append(name)
            asked_before = self.kill(len(self.changes), name)
            if asked_before == "before":
                raise Killed(name)
            answer = action(**arguments)
            if name.startswith(("copy_", "create_", "restore_")):
                # AWS does not promise that the answer to a call which makes something shows its tags.
                answer = {kind: {**made, "TagList": []} for kind, made in answer.items()}
            self.made.append(f"{name} {[value for key, value in sorted(arguments.items()) if 'Identifier' in key]}")
            if "after" in (asked_before, self.kill(len(self.changes), name)):
                raise Killed(name)
            return answer

        operation.__name__ = name
        return operation

    # --- seeding ---

    def add_cluster(
        self, name: str, *, tags: dict[str, str] | None = None, classes: tuple[str, ...] = ("db.r6g.large",), **raw: Any
    ) -> dict[str, Any]:
        """An available cluster with its instances `<name>-<n>`, the first of which writes."""
        cluster = self._new_cluster(name, tags, Status="available", **raw)
        for number, instance_class in enumerate(classes, start=1):
            self._new_instance(f"{name}-{number}", cluster, instance_class, Status="available")
        return cluster

    def add_snapshot(
        self, name: str, cluster: str, *, kind: str = "manual", age_hours: int = 1, **raw: Any
    ) -> dict[str, Any]:
        snapshot = {
            "DBClusterSnapshotIdentifier": name,
            "DBClusterSnapshotArn": self._arn("cluster-snapshot", name),
            "DBClusterIdentifier": cluster,
            "SnapshotType": kind,
            "Status": "available",
            "Engine": "aurora-postgresql",
            "EngineVersion": "16.4",
            "StorageEncrypted": False,
            "PercentProgress": 100,
            "SnapshotCreateTime": self._clock.now() - timedelta(hours=age_hours),
            "TagList": [],
            **raw,
        }
        self.snapshots[name] = snapshot
        return snapshot

    def share_snapshot(self, name: str, cluster: str, account: str, **raw: Any) -> dict[str, Any]:
        """A snapshot of another account's cluster that this account may use."""
        arn = self._arn("cluster-snapshot", name).replace(ACCOUNT, account)
        snapshot = self.add_snapshot(name, cluster, **{"DBClusterSnapshotArn": arn, **raw})
        self.shared[arn] = self.snapshots.pop(name)
        return snapshot

    def names(self, kind: str = "clusters") -> dict[str, str]:
        """Name -> resource id of what exists."""
        self._settle()
        key = "DBClusterIdentifier" if kind == "clusters" else "DBInstanceIdentifier"
        return {thing[key]: resource for resource, thing in getattr(self, kind).items()}

    def cancel_changes(self) -> None:
        """What was under way never comes to its end."""
        self._later.clear()

    # --- reading ---

    def _describe_db_clusters(self, DBClusterIdentifier: str | None = None, **_: Any) -> dict[str, Any]:
        found = [item for item in self.clusters.values() if DBClusterIdentifier in (None, item["DBClusterIdentifier"])]
        if DBClusterIdentifier and not found:
            raise self._fault("DBClusterNotFoundFault")
        return {"DBClusters": [{**item, "DBClusterMembers": self._members(item)} for item in found]}

    def _describe_db_instances(
        self, DBInstanceIdentifier: str | None = None, Filters: Any = (), **_: Any
    ) -> dict[str, Any]:
        found = [
            item for item in self.instances.values() if DBInstanceIdentifier in (None, item["DBInstanceIdentifier"])
        ]
        if DBInstanceIdentifier and not found:
            raise self._fault("DBInstanceNotFound")
        found = [self._visible(item) for item in found]
        for rule in Filters:
            found = [item for item in found if item["DBClusterIdentifier"] in rule["Values"]]
        return {"DBInstances": found}

    def _describe_db_cluster_snapshots(
        self,
        DBClusterSnapshotIdentifier: str | None = None,
        DBClusterIdentifier: str | None = None,
        SnapshotType: str | None = None,
        IncludeShared: bool = False,
        Marker: str = "",
    ) -> dict[str, Any]:
        """Pages of two, so that whoever forgets the Marker sees it."""
        wanted = DBClusterSnapshotIdentifier or ""
        kinds = (SnapshotType,) if SnapshotType else ("manual",) if wanted else ("manual", "automated")
        found = [item for item in self.snapshots.values() if item["SnapshotType"] in kinds]
        if SnapshotType == "shared" or (IncludeShared and not SnapshotType):
            found += self.shared.values()
        found = [
            item
            for item in found
            if wanted in ("", item["DBClusterSnapshotIdentifier"], item["DBClusterSnapshotArn"])
            and DBClusterIdentifier in (None, item["DBClusterIdentifier"])
        ]
        if wanted and not found:
            raise self._fault("DBClusterSnapshotNotFoundFault")
        start = int(Marker or 0)
        more = {"Marker": str(start + 2)} if len(found) > start + 2 else {}
        return {"DBClusterSnapshots": found[start : start + 2], **more}

    # --- changing ---

    def _copy_db_cluster_snapshot(self, **given: Any) -> dict[str, Any]:
        name, source = given["TargetDBClusterSnapshotIdentifier"], self._copyable(given)
        if name in self.snapshots:
            raise self._fault("DBClusterSnapshotAlreadyExistsFault")
        copy = self.add_snapshot(
            name,
            source["DBClusterIdentifier"],
            Status="copying",
            PercentProgress=0,
            TagList=given["Tags"],
            StorageEncrypted=source["StorageEncrypted"],
            KmsKeyId=given.get("KmsKeyId") or source.get("KmsKeyId"),
            SourceDBClusterSnapshotArn=source["DBClusterSnapshotArn"],
        )
        self._in_a_while(lambda: copy.update(Status="available", PercentProgress=100))
        return {"DBClusterSnapshot": dict(copy)}

    def _copyable(self, given: dict[str, Any]) -> dict[str, Any]:
        """The source of a copy. Across accounts within a region only, and an encrypted one by ARNs of keys of here."""
        arn, key = given["SourceDBClusterSnapshotIdentifier"], given.get("KmsKeyId", "")
        own = [item for region in self.regions.values() for item in region.snapshots.values()]
        source = next((item for item in (*own, *self.shared.values()) if item["DBClusterSnapshotArn"] == arn), None)
        if source is None:
            raise self._fault("DBClusterSnapshotNotFoundFault")
        if arn.split(":")[3] != self.meta.region_name and given.get("SourceRegion") != arn.split(":")[3]:
            raise self._fault("InvalidParameterCombination")
        if bool(key) != source["StorageEncrypted"] or (
            key and not key.startswith(f"arn:aws:kms:{self.meta.region_name}:")
        ):
            raise self._fault("KMSKeyNotAccessibleFault")
        return source

    def _create_db_cluster_snapshot(
        self, DBClusterSnapshotIdentifier: str, DBClusterIdentifier: str, Tags: list[dict[str, str]]
    ) -> dict[str, Any]:
        if DBClusterSnapshotIdentifier in self.snapshots:
            raise self._fault("DBClusterSnapshotAlreadyExistsFault")
        cluster = self._find(self.clusters, "DBClusterIdentifier", DBClusterIdentifier, "DBClusterNotFoundFault")
        self._require_available(cluster, "Status", "InvalidDBClusterStateFault")
        snapshot = self.add_snapshot(
            DBClusterSnapshotIdentifier,
            DBClusterIdentifier,
            DbClusterResourceId=cluster["DbClusterResourceId"],
            SnapshotCreateTime=self._clock.now(),
            Status="creating",
            TagList=Tags,
        )
        cluster["Status"] = "backing-up"
        self._in_a_while(lambda: snapshot.update(Status="available") or cluster.update(Status="available"))  # type: ignore[func-returns-value]
        return {"DBClusterSnapshot": dict(snapshot)}

    def _delete_db_cluster_snapshot(self, DBClusterSnapshotIdentifier: str) -> dict[str, Any]:
        snapshot = self.snapshots.get(DBClusterSnapshotIdentifier)
        if snapshot is None:
            raise self._fault("DBClusterSnapshotNotFoundFault")
        if snapshot["Status"] == "creating":
            raise self._fault("InvalidDBClusterSnapshotStateFault")
        del self.snapshots[DBClusterSnapshotIdentifier]
        return {}

    def _restore_db_cluster_from_snapshot(self, **given: Any) -> dict[str, Any]:
        if given["DBClusterIdentifier"] in self.names():
            raise self._fault("DBClusterAlreadyExistsFault")
        source = self.snapshots.get(given["SnapshotIdentifier"]) or self.shared.get(given["SnapshotIdentifier"])
        if source is None:
            raise self._fault("DBClusterSnapshotNotFoundFault")
        raw = {key: given[key] for key in ("Engine", "EngineVersion", *TAKEN) if key in given}
        tags = {tag["Key"]: tag["Value"] for tag in given["Tags"]}
        cluster = self._new_cluster(given["DBClusterIdentifier"], tags, Status="creating", restored_with=given, **raw)
        self._in_a_while(lambda: cluster.update(Status="available"))
        return {"DBCluster": dict(cluster)}

    def _restore_db_cluster_to_point_in_time(self, **given: Any) -> dict[str, Any]:
        if given["DBClusterIdentifier"] in self.names():
            raise self._fault("DBClusterAlreadyExistsFault")
        source = self._find(
            self.clusters, "DBClusterIdentifier", given["SourceDBClusterIdentifier"], "DBClusterNotFoundFault"
        )
        if ("RestoreToTime" in given) == given.get("UseLatestRestorableTime", False):
            raise self._fault("InvalidParameterCombination")
        if given["RestoreType"] == "copy-on-write":
            if "RestoreToTime" in given or self._clones(source) >= CLONES:
                raise self._fault("InvalidParameterCombination")
            source.setdefault("CloneGroupId", source["DbClusterResourceId"])
        raw = {key: given[key] for key in ("KmsKeyId", *TAKEN) if key in given}
        raw |= {key: source[key] for key in ("Engine", "EngineVersion", "CloneGroupId") if key in source}
        tags = {tag["Key"]: tag["Value"] for tag in given["Tags"]}
        cluster = self._new_cluster(given["DBClusterIdentifier"], tags, Status="creating", restored_with=given, **raw)
        self._in_a_while(lambda: cluster.update(Status="available"))
        return {"DBCluster": dict(cluster)}

    def _clones(self, source: dict[str, Any]) -> int:
        group = source.get("CloneGroupId")
        return sum(bool(group) and item.get("CloneGroupId") == group for item in self.clusters.values()) - 1

    def _modify_db_cluster(self, DBClusterIdentifier: str, ApplyImmediately: bool, **changes: Any) -> dict[str, Any]:
        cluster = self._find(self.clusters, "DBClusterIdentifier", DBClusterIdentifier, "DBClusterNotFoundFault")
        self._require_available(cluster, "Status", "InvalidDBClusterStateFault")
        new = changes.pop("NewDBClusterIdentifier", None)
        if new:
            if new in self.names():
                raise self._fault("DBClusterAlreadyExistsFault")
            self._rename(cluster, "Status", "DBClusterIdentifier", new)
        if changes.pop("ManageMasterUserPassword", False):
            key = changes.pop("MasterUserSecretKmsKeyId", None)
            cluster["MasterUserSecret"] = {"SecretArn": "arn:new", "SecretStatus": "active", "KmsKeyId": key}
        cluster.update(changes)
        return {"DBCluster": dict(cluster)}

    def _enable_http_endpoint(self, ResourceArn: str) -> dict[str, Any]:
        cluster = self._find(self.clusters, "DBClusterArn", ResourceArn, "ResourceNotFoundFault")
        self._require_available(cluster, "Status", "InvalidResourceStateFault")
        cluster["HttpEndpointEnabled"] = True
        return {"ResourceArn": ResourceArn, "HttpEndpointEnabled": True}

    def _delete_db_cluster(
        self, DBClusterIdentifier: str, SkipFinalSnapshot: bool, FinalDBSnapshotIdentifier: str = ""
    ) -> dict[str, Any]:
        if SkipFinalSnapshot == bool(FinalDBSnapshotIdentifier):
            raise self._fault("InvalidParameterCombination")
        cluster = self._find(self.clusters, "DBClusterIdentifier", DBClusterIdentifier, "DBClusterNotFoundFault")
        if cluster["DeletionProtection"]:
            raise self._fault("InvalidParameterCombination")
        if any(item["DBInstanceStatus"] != "deleting" for item in self._instances_of(cluster)):
            raise self._fault("InvalidDBClusterStateFault")
        if cluster["Status"] not in self.deletable:
            self._require_available(cluster, "Status", "InvalidDBClusterStateFault")
        if FinalDBSnapshotIdentifier:
            self.add_snapshot(FinalDBSnapshotIdentifier, DBClusterIdentifier)
        cluster["Status"] = "deleting"
        self._in_a_while(lambda: self.clusters.pop(cluster["DbClusterResourceId"], None))
        return {"DBCluster": dict(cluster)}

    def _create_db_instance(self, **given: Any) -> dict[str, Any]:
        if given["DBInstanceIdentifier"] in self.names("instances"):
            raise self._fault("DBInstanceAlreadyExists")
        cluster = self._find(
            self.clusters, "DBClusterIdentifier", given["DBClusterIdentifier"], "DBClusterNotFoundFault"
        )
        tags = given["Tags"]
        instance = self._new_instance(
            given["DBInstanceIdentifier"],
            cluster,
            given["DBInstanceClass"],
            Status="creating",
            TagList=tags,
            created_with=given,
        )
        self._in_a_while(lambda: instance.update(DBInstanceStatus="available"))
        return {"DBInstance": self._visible(instance)}

    def _modify_db_instance(
        self, DBInstanceIdentifier: str, NewDBInstanceIdentifier: str, ApplyImmediately: bool
    ) -> dict[str, Any]:
        instance = self._find(self.instances, "DBInstanceIdentifier", DBInstanceIdentifier, "DBInstanceNotFound")
        self._require_available(instance, "DBInstanceStatus", "InvalidDBInstanceState")
        if NewDBInstanceIdentifier in self.names("instances"):
            raise self._fault("DBInstanceAlreadyExists")
        self._rename(instance, "DBInstanceStatus", "DBInstanceIdentifier", NewDBInstanceIdentifier)
        return {"DBInstance": self._visible(instance)}

    def _delete_db_instance(self, DBInstanceIdentifier: str) -> dict[str, Any]:
        instance = self._find(self.instances, "DBInstanceIdentifier", DBInstanceIdentifier, "DBInstanceNotFound")
        instance["DBInstanceStatus"] = "deleting"
        self._in_a_while(lambda: self.instances.pop(instance["DbiResourceId"], None))
        return {"DBInstance": self._visible(instance)}

    def _add_tags_to_resource(self, ResourceName: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
        for thing in (*self.clusters.values(), *self.instances.values(), *self.snapshots.values()):
            if ResourceName in (
                thing.get("DBClusterArn"),
                thing.get("DBInstanceArn"),
                thing.get("DBClusterSnapshotArn"),
            ):
                names = {tag["Key"] for tag in Tags}
                thing["TagList"] = [*(tag for tag in thing["TagList"] if tag["Key"] not in names), *Tags]
        return {}

    def _remove_tags_from_resource(self, ResourceName: str, TagKeys: list[str]) -> dict[str, Any]:
        for thing in (*self.clusters.values(), *self.instances.values(), *self.snapshots.values()):
            arns = (thing.get("DBClusterArn"), thing.get("DBInstanceArn"), thing.get("DBClusterSnapshotArn"))
            if ResourceName in arns:
                thing["TagList"] = [tag for tag in thing["TagList"] if tag["Key"] not in TagKeys]
        return {}

    # --- inside ---

    def _new_cluster(self, name: str, tags: dict[str, str] | None, **raw: Any) -> dict[str, Any]:
        self._serial += 1
        cluster = {
            "DBClusterIdentifier": name,
            "DbClusterResourceId": f"cluster-{self._serial:04}",
            "DBClusterArn": self._arn("cluster", name),
            "Engine": "aurora-postgresql",
            "EngineVersion": "16.4",
            "Endpoint": f"{name}.cluster-x.{self.meta.region_name}.rds.amazonaws.com",
            "Port": 5432,
            "MasterUsername": "postgres",
            "DBSubnetGroup": "private",
            "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1", "Status": "active"}],
            "DBClusterParameterGroup": "shop-16",
            "BackupRetentionPeriod": 7,
            "PreferredBackupWindow": "03:00-04:00",
            "PreferredMaintenanceWindow": "sun:05:00-sun:06:00",
            "DeletionProtection": False,
            "StorageEncrypted": False,
            "TagList": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
            **raw,
        }
        self.clusters[cluster["DbClusterResourceId"]] = cluster
        return cluster

    def _new_instance(
        self, name: str, cluster: dict[str, Any], instance_class: str, *, Status: str, **raw: Any
    ) -> dict[str, Any]:
        self._serial += 1
        instance = {
            "DBInstanceIdentifier": name,
            "DbiResourceId": f"db-{self._serial:04}",
            "DBInstanceArn": self._arn("db", name),
            "DBInstanceClass": instance_class,
            "DBInstanceStatus": Status,
            "DBParameterGroups": [{"DBParameterGroupName": "shop-instances-16"}],
            "AutoMinorVersionUpgrade": True,
            "TagList": [],
            "cluster": cluster["DbClusterResourceId"],
            **raw,
        }
        self.instances[instance["DbiResourceId"]] = instance
        return instance

    def _instances_of(self, cluster: dict[str, Any]) -> list[dict[str, Any]]:
        return [item for item in self.instances.values() if item["cluster"] == cluster["DbClusterResourceId"]]

    def _members(self, cluster: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "DBInstanceIdentifier": item["DBInstanceIdentifier"],
                "IsClusterWriter": number == 0,
                "PromotionTier": number + 1,
            }
            for number, item in enumerate(self._instances_of(cluster))
        ]

    def _visible(self, instance: dict[str, Any]) -> dict[str, Any]:
        cluster = self.clusters.get(instance["cluster"])
        return {**instance, "DBClusterIdentifier": cluster["DBClusterIdentifier"] if cluster else ""}

    def _rename(self, thing: dict[str, Any], status: str, key: str, new: str) -> None:
        arn = "DBClusterArn" if key == "DBClusterIdentifier" else "DBInstanceArn"
        kind = "cluster" if key == "DBClusterIdentifier" else "db"
        thing[status] = "renaming"
        self._in_a_while(lambda: thing.update({key: new, arn: self._arn(kind, new), status: "available"}))

    def _find(self, things: dict[str, dict[str, Any]], key: str, name: str, missing: str) -> dict[str, Any]:
        found = next((thing for thing in things.values() if thing[key] == name), None)
        if found is None:
            raise self._fault(missing)
        return found

    def _require_available(self, thing: dict[str, Any], status: str, code: str) -> None:
        if thing[status] != "available":
            raise self._fault(code)

    def _in_a_while(self, change: Callable[[], object]) -> None:
        self._later.append((self._clock.now() + timedelta(seconds=self.delay), lambda: (change(), None)[1]))

    def _settle(self) -> None:
        due = [change for moment, change in self._later if moment <= self._clock.now()]
        self._later = [entry for entry in self._later if entry[0] > self._clock.now()]
        for change in due:
            change()

    def _arn(self, kind: str, name: str) -> str:
        return f"arn:aws:rds:{self.meta.region_name}:{ACCOUNT}:{kind}:{name}"

    def _fault(self, code: str, operation: str = "Operation") -> ClientError:
        answer: Any = {"Error": {"Code": code, "Message": f"fake {code}"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        return ClientError(answer, operation)


def _check(model: ServiceModel, name: str, arguments: dict[str, Any]) -> None:
    wanted = name.replace("_", "")
    operation = next(item for item in model.operation_names if item.lower() == wanted)
    report = ParamValidator().validate(arguments, model.operation_model(operation).input_shape)
    assert not report.has_errors(), report.generate_report()

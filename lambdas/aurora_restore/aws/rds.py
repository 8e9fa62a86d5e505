"""Amazon RDS in one region: one method per API call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurora_restore.arns import account_of
from aurora_restore.aws.calls import call
from aurora_restore.aws.rds_types import Cluster, Instance, Snapshot, tags_to_api
from aurora_restore.errors import ResourceMissing

# The restore calls took these early in 2026; the SDK is that of Lambda's runtime, which may be older and refuse them.
# ArchiveSnapshot sets what the restore could not.
_OFTEN_UNKNOWN = ("BackupRetentionPeriod", "PreferredBackupWindow")


class Rds:
    """All methods raise the typed errors of `aws.calls`; `find_*` give None for what does not exist."""

    def __init__(self, client: Any) -> None:
        self._client = client

    # --- reading ---

    def find_cluster(self, cluster_id: str) -> Cluster | None:
        try:
            answer = call(self._client.describe_db_clusters, DBClusterIdentifier=cluster_id)
        except ResourceMissing:
            return None
        return Cluster.from_api(answer["DBClusters"][0]) if answer["DBClusters"] else None

    def list_clusters(self) -> list[Cluster]:
        return [Cluster.from_api(raw) for raw in self._pages("describe_db_clusters", "DBClusters")]

    def find_instance(self, instance_id: str) -> Instance | None:
        try:
            answer = call(self._client.describe_db_instances, DBInstanceIdentifier=instance_id)
        except ResourceMissing:
            return None
        return Instance.from_api(answer["DBInstances"][0]) if answer["DBInstances"] else None

    def list_instances(self) -> list[Instance]:
        return [Instance.from_api(raw) for raw in self._pages("describe_db_instances", "DBInstances")]

    def cluster_instances(self, cluster_id: str) -> list[Instance]:
        """The instances of one cluster (filter `db-cluster-id`)."""
        filters = [{"Name": "db-cluster-id", "Values": [cluster_id]}]
        return [Instance.from_api(raw) for raw in self._pages("describe_db_instances", "DBInstances", Filters=filters)]

    def find_snapshot(self, snapshot: str, *, shared: bool = False) -> Snapshot | None:
        """By identifier or ARN; with `shared` also one that another account shares, by its ARN.

        DescribeDBClusterSnapshots finds an automated one only when its type is asked for, and IncludeShared does not
        apply then: automated ones are never shared.
        """
        name = snapshot.rsplit("cluster-snapshot:", 1)[-1]
        kinds = {"rds:": "automated", "awsbackup:": "awsbackup"}
        kind = next((value for prefix, value in kinds.items() if name.startswith(prefix)), None)
        arguments: dict[str, Any] = {"DBClusterSnapshotIdentifier": snapshot}
        if kind:
            arguments["SnapshotType"] = kind
        elif shared:
            arguments["IncludeShared"] = True
        try:
            answer = call(self._client.describe_db_cluster_snapshots, **arguments)
        except ResourceMissing:
            return None
        found = answer["DBClusterSnapshots"]
        return Snapshot.from_api(found[0]) if found else None

    def list_snapshots(self, cluster_id: str | None = None) -> list[Snapshot]:
        """Automated and manual ones, of one cluster or of all; never what other accounts share."""
        arguments = {"DBClusterIdentifier": cluster_id} if cluster_id else {}
        pages = self._pages("describe_db_cluster_snapshots", "DBClusterSnapshots", **arguments)
        return [Snapshot.from_api(raw) for raw in pages]

    def list_shared_snapshots(self, account: str, cluster_id: str) -> list[Snapshot]:
        """What `account` shares of its cluster, in this region. Filtered here: cluster names are unique there only."""
        pages = self._pages("describe_db_cluster_snapshots", "DBClusterSnapshots", SnapshotType="shared")
        shared = [Snapshot.from_api(raw) for raw in pages]
        return [item for item in shared if item.cluster_id == cluster_id and account_of(item.arn) == account]

    # --- snapshots ---

    def copy_snapshot(
        self, *, source_arn: str, source_region: str, snapshot_id: str, kms_key_id: str | None, tags: Mapping[str, str]
    ) -> Snapshot:
        """CopyDBClusterSnapshot in the destination region; botocore signs the source region's URL from SourceRegion.

        Tags are given and CopyTags is not: copying them would fail on `aws:` tags.
        """
        arguments: dict[str, Any] = {
            "SourceDBClusterSnapshotIdentifier": source_arn,
            "TargetDBClusterSnapshotIdentifier": snapshot_id,
            "Tags": tags_to_api(tags),
        }
        if kms_key_id:
            arguments["KmsKeyId"] = kms_key_id
        if source_region != self._client.meta.region_name:
            arguments["SourceRegion"] = source_region
        return Snapshot.from_api(call(self._client.copy_db_cluster_snapshot, **arguments)["DBClusterSnapshot"])

    def create_snapshot(self, snapshot_id: str, cluster_id: str, tags: Mapping[str, str]) -> None:
        """CreateDBClusterSnapshot: a manual one, which nothing but a call removes."""
        call(
            self._client.create_db_cluster_snapshot,
            DBClusterSnapshotIdentifier=snapshot_id,
            DBClusterIdentifier=cluster_id,
            Tags=tags_to_api(tags),
        )

    def delete_snapshot(self, snapshot_id: str) -> None:
        """DeleteDBClusterSnapshot; cancels a copy in progress."""
        call(self._client.delete_db_cluster_snapshot, DBClusterSnapshotIdentifier=snapshot_id)

    # --- clusters ---

    def restore_cluster_from_snapshot(self, **arguments: Any) -> Cluster:
        """RestoreDBClusterFromSnapshot, arguments by their API names."""
        known = self._known("RestoreDBClusterFromSnapshot", arguments)
        return Cluster.from_api(call(self._client.restore_db_cluster_from_snapshot, **known)["DBCluster"])

    def restore_cluster_to_point_in_time(self, **arguments: Any) -> Cluster:
        """RestoreDBClusterToPointInTime, arguments by their API names."""
        known = self._known("RestoreDBClusterToPointInTime", arguments)
        return Cluster.from_api(call(self._client.restore_db_cluster_to_point_in_time, **known)["DBCluster"])

    def modify_cluster(self, cluster_id: str, **changes: Any) -> Cluster:
        """ModifyDBCluster with ApplyImmediately, changes by their API names."""
        answer = call(self._client.modify_db_cluster, DBClusterIdentifier=cluster_id, ApplyImmediately=True, **changes)
        return Cluster.from_api(answer["DBCluster"])

    def enable_http_endpoint(self, arn: str) -> None:
        """EnableHttpEndpoint: the Data API. ModifyDBCluster has a parameter of that name for Serverless v1 only."""
        call(self._client.enable_http_endpoint, ResourceArn=arn)

    def rename_cluster(self, cluster_id: str, new_id: str) -> None:
        self.modify_cluster(cluster_id, NewDBClusterIdentifier=new_id)

    def delete_cluster(self, cluster_id: str, *, final_snapshot: str | None = None) -> None:
        """DeleteDBCluster, with a final snapshot of this name or with none."""
        last = {"FinalDBSnapshotIdentifier": final_snapshot} if final_snapshot else {}
        call(
            self._client.delete_db_cluster,
            DBClusterIdentifier=cluster_id,
            SkipFinalSnapshot=final_snapshot is None,
            **last,
        )

    # --- instances ---

    def create_instance(self, **arguments: Any) -> Instance:
        """CreateDBInstance, arguments by their API names."""
        return Instance.from_api(call(self._client.create_db_instance, **arguments)["DBInstance"])

    def rename_instance(self, instance_id: str, new_id: str) -> None:
        """ModifyDBInstance with ApplyImmediately; the instance reboots."""
        call(
            self._client.modify_db_instance,
            DBInstanceIdentifier=instance_id,
            NewDBInstanceIdentifier=new_id,
            ApplyImmediately=True,
        )

    def delete_instance(self, instance_id: str) -> None:
        """DeleteDBInstance. Aurora instances hold no data, so there is no final snapshot to take or skip."""
        call(self._client.delete_db_instance, DBInstanceIdentifier=instance_id)

    # --- tags ---

    def add_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """AddTagsToResource; setting a tag again is no error."""
        call(self._client.add_tags_to_resource, ResourceName=arn, Tags=tags_to_api(tags))

    def remove_tags(self, arn: str, keys: Sequence[str]) -> None:
        """RemoveTagsFromResource; removing a tag that is not there is no error."""
        call(self._client.remove_tags_from_resource, ResourceName=arn, TagKeys=list(keys))

    def _known(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Without those of _OFTEN_UNKNOWN that the SDK in use does not know."""
        members = self._client.meta.service_model.operation_model(operation).input_shape.members
        return {name: value for name, value in arguments.items() if name in members or name not in _OFTEN_UNKNOWN}

    def _pages(self, operation: str, key: str, **arguments: Any) -> list[Mapping[str, Any]]:
        """All pages of a listing, by Marker."""
        found: list[Mapping[str, Any]] = []
        while True:
            answer = call(getattr(self._client, operation), **arguments)
            found.extend(answer[key])
            if not answer.get("Marker"):
                return found
            arguments = {**arguments, "Marker": answer["Marker"]}

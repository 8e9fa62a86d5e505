"""How resources look in answers: their attributes, and what has to be computed."""

from __future__ import annotations

from datetime import timedelta

from . import neighbours
from .clock import Clock, now
from .model import Attributes, Cluster, Group, Instance, Realm, Resource, Snapshot
from .world import World


def tag_list(resource: Resource) -> list[dict[str, str]]:
    """A resource's tags."""
    return [{"Key": key, "Value": value} for key, value in sorted(resource.tags.items())]


def cluster(world: World, found: Cluster) -> Attributes:
    """A DBCluster."""
    members = [
        {
            "DBInstanceIdentifier": member.name,
            "IsClusterWriter": member.is_writer,
            "DBClusterParameterGroupStatus": "in-sync",
            "PromotionTier": member.attributes["PromotionTier"],
        }
        for member in found.instances
    ]
    created = found.attributes["ClusterCreateTime"]
    return found.attributes | {
        "DBClusterIdentifier": found.name,
        "DBClusterArn": found.arn,
        "Status": found.status,
        "TagList": tag_list(found),
        "Endpoint": world.cluster_endpoint(found).address,
        "ReaderEndpoint": world.cluster_endpoint(found, "reader").address,
        "DBClusterMembers": members,
        "MultiAZ": len(members) > 1,
        "PendingModifiedValues": found.pending or None,
        "EarliestRestorableTime": created,
        "LatestRestorableTime": max(created, now() - timedelta(minutes=1)),
    }


def instance(world: World, found: Instance) -> Attributes:
    """A DBInstance."""
    owner = found.cluster.attributes
    endpoint = {
        "Address": world.instance_endpoint(found).address,
        "Port": owner["Port"],
        "HostedZoneId": owner["HostedZoneId"],
    }
    inherited = (
        "Engine",
        "EngineVersion",
        "MasterUsername",
        "StorageEncrypted",
        "KmsKeyId",
        "VpcSecurityGroups",
        "BackupRetentionPeriod",
        "PreferredBackupWindow",
        "IAMDatabaseAuthenticationEnabled",
        "StorageType",
        "AllocatedStorage",
        "NetworkType",
        "DeletionProtection",
    )
    return (
        {name: owner[name] for name in inherited if name in owner}
        | found.attributes
        | {
            "DBInstanceIdentifier": found.name,
            "DBInstanceArn": found.arn,
            "DBInstanceStatus": found.status,
            "DBClusterIdentifier": found.cluster.name,
            "TagList": tag_list(found),
            # An instance has no endpoint until it is there.
            "Endpoint": None if found.status == "creating" else endpoint,
            "DBSubnetGroup": subnet_group_of(found),
            "MultiAZ": False,
            "EnabledCloudwatchLogsExports": owner.get("EnabledCloudwatchLogsExports"),
        }
    )


def snapshot(clock: Clock, found: Snapshot) -> Attributes:
    """A DBClusterSnapshot."""
    percent = 100
    if found.status in ("creating", "copying"):
        percent = min(99, int(100 * clock.fraction(found.started, found.seconds)))
    return found.attributes | {
        "DBClusterSnapshotIdentifier": found.name,
        "DBClusterSnapshotArn": found.arn,
        "Status": found.status,
        "PercentProgress": percent,
        "TagList": tag_list(found),
    }


def snapshot_sharing(found: Snapshot) -> Attributes:
    """A DBClusterSnapshotAttributesResult."""
    return {
        "DBClusterSnapshotIdentifier": found.name,
        "DBClusterSnapshotAttributes": [{"AttributeName": "restore", "AttributeValues": sorted(found.shared_with)}],
    }


def subnet_group(found: Group) -> Attributes:
    """A DBSubnetGroup."""
    return found.attributes | {
        "DBSubnetGroupName": found.name,
        "DBSubnetGroupArn": found.arn,
        "SubnetGroupStatus": "Complete",
    }


def subnet_group_of(member: Instance) -> Attributes:
    """The subnet group of an instance, which is its cluster's."""
    name = member.cluster.attributes["DBSubnetGroup"]
    groups = member.realm.subnet_groups
    return subnet_group(groups[name]) if name in groups else subnet_group(default_subnet_group(member.realm))


def default_subnet_group(realm: Realm) -> Group:
    """The group that AWS makes of the default VPC's subnets."""
    found = neighbours.subnets(realm)
    return Group(realm, "default", subnet_group_attributes(found, "default"), "available", kind="subgrp")


def subnet_group_attributes(subnets: list[Attributes], description: str) -> Attributes:
    """The attributes of a subnet group over EC2's `subnets`."""
    return {
        "DBSubnetGroupDescription": description,
        "VpcId": subnets[0]["VpcId"],
        "SupportedNetworkTypes": ["IPV4"],
        "Subnets": [
            {
                "SubnetIdentifier": subnet["SubnetId"],
                "SubnetStatus": "Active",
                "SubnetAvailabilityZone": {"Name": subnet["AvailabilityZone"]},
            }
            for subnet in subnets
        ],
    }

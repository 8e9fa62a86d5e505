"""What is on offer and how much of it is used: versions, instance classes, quotas, events, global clusters."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .. import catalogue, listing
from ..clock import now
from ..errors import RdsError
from ..model import Event
from .registry import Call, action

_DEFAULT_EVENT_MINUTES = 60


@action("DescribeDBEngineVersions")
def describe_versions(call: Call) -> dict[str, Any]:
    """The catalogue's versions."""
    found = []
    for engine, versions in catalogue.VERSIONS.items():
        default = catalogue.DEFAULT_VERSIONS[engine]
        for version in [default] if call.get("DefaultOnly") else versions:
            found.append(_version(engine, version))
    for parameter, key in (("Engine", "Engine"), ("DBParameterGroupFamily", "DBParameterGroupFamily")):
        if wanted := call.get(parameter):
            found = [one for one in found if one[key] == wanted]
    if wanted := call.get("EngineVersion"):
        found = [
            one for one in found if one["EngineVersion"] == wanted or one["EngineVersion"].startswith(f"{wanted}.")
        ]
    return listing.page(call, found, "DBEngineVersions", lambda one: one)


def _version(engine: str, version: str) -> dict[str, Any]:
    newer = [
        other for other in catalogue.VERSIONS[engine] if catalogue.version_key(other) > catalogue.version_key(version)
    ]
    return {
        "Engine": engine,
        "EngineVersion": version,
        "DBParameterGroupFamily": catalogue.family(engine, version),
        "DBEngineDescription": engine,
        "DBEngineVersionDescription": f"{engine} {version}",
        "Status": "available",
        "ExportableLogTypes": catalogue.LOG_TYPES[engine],
        "SupportsLogExportsToCloudwatchLogs": True,
        "SupportedEngineModes": ["provisioned"],
        "SupportsReadReplica": False,
        "SupportsGlobalDatabases": False,
        "ValidUpgradeTarget": [
            {
                "Engine": engine,
                "EngineVersion": other,
                "AutoUpgrade": False,
                "IsMajorVersionUpgrade": catalogue.family(engine, other) != catalogue.family(engine, version),
            }
            for other in newer
        ],
    }


@action("DescribeOrderableDBInstanceOptions")
def describe_options(call: Call) -> dict[str, Any]:
    """The catalogue's instance classes, for every version."""
    engine = catalogue.check_engine(call["Engine"])
    version, name = call.get("EngineVersion"), call.get("DBInstanceClass")
    zones = [{"Name": f"{call.realm.region}{zone}"} for zone in "abc"]
    found = [
        {
            "Engine": engine,
            "EngineVersion": one,
            "DBInstanceClass": kind,
            "Vpc": True,
            "StorageType": "aurora",
            "AvailabilityZones": zones,
            "SupportsStorageEncryption": True,
            "SupportsIAMDatabaseAuthentication": True,
            "SupportsPerformanceInsights": True,
            "SupportsClusters": True,
            "SupportedEngineModes": ["provisioned"],
            "LicenseModel": "postgresql-license" if engine == "aurora-postgresql" else "general-public-license",
        }
        for one in catalogue.VERSIONS[engine]
        if version in (None, one)
        for kind in catalogue.INSTANCE_CLASSES
        if name in (None, kind)
    ]
    return listing.page(call, found, "OrderableDBInstanceOptions", lambda one: one)


@action("DescribeAccountAttributes")
def describe_quotas(call: Call) -> dict[str, Any]:
    """The region's quotas and what is used of them."""
    realm = call.realm
    used = {
        "DBClusters": len(realm.clusters),
        "DBInstances": len(realm.instances),
        "ManualClusterSnapshots": sum(one.is_manual for one in realm.snapshots.values()),
    }
    return {
        "AccountQuotas": [
            {"AccountQuotaName": name, "Used": amount, "Max": realm.quotas[name]}
            for name, amount in sorted(used.items())
        ]
    }


@action("DescribeEvents")
def describe_events(call: Call) -> dict[str, Any]:
    """What happened, oldest first, in the last hour unless the caller says otherwise."""
    end = call.get("EndTime") or now()
    start = call.get("StartTime") or end - timedelta(minutes=call.get("Duration", _DEFAULT_EVENT_MINUTES))
    kind, source = call.get("SourceType"), call.get("SourceIdentifier")
    found = [
        event
        for event in call.realm.events
        if start <= event.moment <= end and kind in (None, event.source_type) and source in (None, event.name)
    ]
    return listing.page(call, found, "Events", _event)


def _event(event: Event) -> dict[str, Any]:
    return {
        "SourceIdentifier": event.name,
        "SourceType": event.source_type,
        "Message": event.message,
        "EventCategories": [],
        "Date": event.moment,
        "SourceArn": event.source.arn,
    }


@action("DescribeGlobalClusters")
def describe_global_clusters(call: Call) -> dict[str, Any]:
    """None: the emulator has no global databases."""
    if name := call.get("GlobalClusterIdentifier"):
        raise RdsError("GlobalClusterNotFoundFault", f"Global cluster {name} not found.")
    return {"GlobalClusters": []}

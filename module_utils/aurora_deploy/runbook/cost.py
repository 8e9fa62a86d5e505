"""A plan -> roughly what the second set of instances costs, by the table of prices beside this file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TABLE = json.loads(Path(__file__).with_name("prices.json").read_text("utf-8"))
_NOT_COUNTED = (
    "not counted: storage, I/O, snapshots, transfer between regions, monitoring, discounts, taxes, all of which depend "
    "on what is not known beforehand"
)
_IO_OPTIMIZED = "aurora-iopt1"  # RDS API Reference, DBCluster, StorageType


def cost(plan: Mapping[str, Any], own_prices: Mapping[str, float]) -> str:
    """Return the cost in one sentence. `own_prices` (USD per instance and hour, by class) go over the table.

    Old and new instances stand side by side while the restore runs and as long as the old ones are kept; what is
    charged besides the target's ordinary price is one set of instances for that time. With the strategy `replace` they
    never stand side by side.
    """
    if plan["replace"]["needed"]:
        return f"no more instances than before: the target's go first; {_NOT_COUNTED}"
    prices = {**_table_for(plan), **own_prices}
    classes = [instance["class"] for instance in plan["instances"]]
    unknown = sorted({name for name in classes if name not in prices})
    if unknown:
        return f'no price known for {", ".join(unknown)}; give it with -e \'{{"prices": {{"{unknown[0]}": 0.5}}}}\''
    units = (plan["restore"].get("serverless_scaling") or {}).get("MaxCapacity", 1)
    hourly = sum(prices[name] * (units if name == "db.serverless" else 1) for name in classes)
    hours = plan["retention"]["keep_old_hours"] if plan["swap"]["needed"] else 0
    running = plan["expected_seconds"]
    hours += (running or 0) / 3600
    more = "" if running else " and the time of the restore, which is not known yet"
    origin = "your prices" if set(classes) <= set(own_prices) else _origin(plan)
    most = "at most " if "db.serverless" in classes else ""
    return (
        f"roughly {most}{hourly * hours:.2f} USD: {hourly:.3f} USD an hour for {len(classes)} more instances, "
        f"{hours:.1f} hours{more} ({origin}); {_NOT_COUNTED}"
    )


def _io_optimized(plan: Mapping[str, Any]) -> bool:
    return bool(plan["restore"]["storage_type"] == _IO_OPTIMIZED)


def _table_for(plan: Mapping[str, Any]) -> dict[str, float]:
    """The table's prices in the storage configuration of the new cluster."""
    factor = _TABLE["io_optimized_factor"] if _io_optimized(plan) else 1
    return {name: price * factor for name, price in _TABLE["hourly"].items()}


def _origin(plan: Mapping[str, Any]) -> str:
    """Where the table's prices are from, and where they are not those of the plan's region."""
    kind = "Aurora I/O-Optimized" if _io_optimized(plan) else "Aurora Standard"
    origin, region = f"{_TABLE['source']}, {kind}, {_TABLE['region']}, {_TABLE['date']}", plan["target"]["region"]
    return origin if region == _TABLE["region"] else f"{origin}; no prices known for {region}, which may differ"

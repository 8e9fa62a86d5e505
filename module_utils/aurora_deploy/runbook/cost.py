"""A plan -> roughly what the second set of instances costs, by the table of prices beside this file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TABLE = json.loads(Path(__file__).with_name("prices.json").read_text("utf-8"))
_NOT_COUNTED = "storage, I/O and transfer are not counted: how much there is of them is not known beforehand"


def cost(plan: Mapping[str, Any], own_prices: Mapping[str, float]) -> str:
    """Return the cost in one sentence. `own_prices` (USD per instance and hour, by class) go over the table.

    Old and new instances stand side by side while the restore runs and as long as the old ones are kept; what is
    charged besides the target's ordinary price is one set of instances for that time. With the strategy `replace` they
    never stand side by side.
    """
    if plan["replace"]["needed"]:
        return f"no more instances than before: the target's go first; {_NOT_COUNTED}"
    prices = {**_TABLE["hourly"], **own_prices}
    classes = [instance["class"] for instance in plan["instances"]]
    unknown = sorted({name for name in classes if name not in prices})
    if unknown:
        return f'unknown: no price of {", ".join(unknown)}; give it with -e \'{{"prices": {{"{unknown[0]}": 0.5}}}}\''
    units = (plan["restore"].get("serverless_scaling") or {}).get("MaxCapacity", 1)
    hourly = sum(prices[name] * (units if name == "db.serverless" else 1) for name in classes)
    hours = plan["retention"]["keep_old_hours"] if plan["swap"]["needed"] else 0
    running = plan["expected_seconds"]
    hours += (running or 0) / 3600
    more = "" if running else " and the time of the restore, which is not known yet"
    table = f"{_TABLE['source']}, {_TABLE['region']}, {_TABLE['date']}"
    origin = "your prices" if set(classes) <= set(own_prices) else table
    most = "at most " if "db.serverless" in classes else ""
    return (
        f"{most}{hourly * hours:.2f} USD: {hourly:.3f} USD an hour for {len(classes)} more instances, "
        f"{hours:.1f} hours{more} ({origin}); {_NOT_COUNTED}"
    )

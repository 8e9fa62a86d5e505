"""The Lambda function of the state SwapClusters."""

from aurora_restore.entry import handler as build_handler
from aurora_restore.steps import swap_clusters

handler = build_handler("SwapClusters", swap_clusters.run, advances="swap")

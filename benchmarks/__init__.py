"""Measurements of the deployment against its peers, and of what the orchestration costs: `make bench`."""

"""The Lambda function that EventBridge calls; it belongs to no state and to no single operation."""

from aurora_restore.entry import sweeper
from aurora_restore.steps import sweep

handler = sweeper(sweep.run)

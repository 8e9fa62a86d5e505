"""Entry point of the module aurora_restore_event_rules; it runs in the controller's worker."""

from __future__ import annotations

import sys
from pathlib import Path

# Ansible puts module_utils/ on the path of modules only, not on that of plugins.
sys.path.append(str(Path(__file__).resolve().parents[1] / "module_utils"))

from aurora_deploy.action import ConvergeAction
from aurora_deploy.families import event_rules


class ActionModule(ConvergeAction):
    """Converges the EventBridge rules."""

    plan = staticmethod(event_rules.plan)

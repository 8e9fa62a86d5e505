# Why not amazon.aws.aws_caller_info and assert: an assertion stops at the first mistake, here every mistake is told at once.
"""Documentation and argument specification of aurora_restore_preflight; action_plugins/aurora_restore_preflight.py runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_preflight
short_description: Check the configuration and the caller before anything is deployed
description:
  - Checks the shape of every inventory variable of this project, how they fit together, and whether the credentials belong to the
    account of the inventory. Fails with all mistakes at once, each with its fix. Changes nothing.
  - The variables are read from the inventory, so that a missing one is told like any other mistake.
  - Asks AWS one thing, C(sts:GetCallerIdentity), which needs no permission.
options:
  functions:
    description: Names of the pipeline's steps; the length of what is named after them is checked.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    description: Reads only, so check mode is the same.
    support: full
  diff_mode:
    description: Nothing changes, so there is no difference to show.
    support: none
author: Aurora Restore Pipeline
"""

EXAMPLES = r"""
- name: Ensure the configuration and the caller are right
  aurora_restore_preflight:
    functions: "{{ pipeline_functions }}"
"""

RETURN = r"""
account_id:
  description: Account of the caller.
  returned: when AWS told who the caller is
  type: str
caller_arn:
  description: ARN of the caller.
  returned: when AWS told who the caller is
  type: str
"""

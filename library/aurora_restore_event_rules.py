# Why not amazon.aws.cloudwatchevent_rule: it is skipped in check mode, shows no diff, sets no retry policy, and leaves the
# function's permission to another module.
"""Documentation and argument specification of aurora_restore_event_rules; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_event_rules
short_description: Converge EventBridge rules that call one function
description:
  - Creates, changes and removes rules on the default event bus, each with the function's alias as its only target and the
    permission that lets the rule call it; every declared attribute is compared and shown by C(--diff).
  - The connection is taken from the variables C(region), C(aws_profile) and C(aws_config_file).
options:
  function:
    description: ARN of the function.
    type: str
    required: true
  alias:
    description: Alias of the function that is called.
    type: str
    default: live
  rules:
    description: The rules.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the rule.
        type: str
        required: true
      description:
        description: What it is for.
        type: str
        default: ""
      pattern:
        description: Event pattern; this or O(rules[].schedule).
        type: dict
        default: {}
      schedule:
        description: Schedule expression, for example C(rate(15 minutes)).
        type: str
        default: ""
      enabled:
        description: Whether the rule is enabled.
        type: bool
        default: true
  retries:
    description: How often EventBridge tries again to hand an event to the function.
    type: int
    default: 185
  max_age:
    description: Seconds after which it gives an event up.
    type: int
    default: 86400
  tags:
    description: All tags of the rules; others are removed.
    type: dict
    default: {}
  state:
    description: Whether the rules exist.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Announces exactly what a run would do.
    support: full
  diff_mode:
    description: Before and after of every declared attribute.
    support: full
author: Aurora Restore Pipeline
"""

EXAMPLES = r"""
- name: Ensure the sweep runs
  aurora_restore_event_rules:
    function: arn:aws:lambda:us-east-1:123456789012:function:aurora-restore-sweep
    rules:
      - name: aurora-restore-sweep
        schedule: rate(15 minutes)
"""

RETURN = r"""
items:
  description: One entry per rule.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the rule.
      type: str
    action:
      description: What was done, or would be done in check mode; one of none, create, update, delete.
      type: str
    changes:
      description: Before and after of each attribute that changes, by name.
      type: dict
"""

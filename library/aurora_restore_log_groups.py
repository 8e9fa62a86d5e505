# Why not amazon.aws.cloudwatchlogs_log_group: a group a call, no diff, and no resource policy for vended logs.
"""Documentation and argument specification of aurora_restore_log_groups; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_log_groups
short_description: Converge CloudWatch log groups
description:
  - Creates, changes and removes log groups with retention, key and tags, and the policy that lets AWS deliver
    vended logs to them.
  - The connection is taken from the variables C(region), C(aws_profile) and C(aws_config_file).
options:
  names:
    description: Names of the groups.
    type: list
    elements: str
    required: true
  remove_others_with_prefix:
    description: >-
      Groups that begin with this, carry our Project tag and are not in O(names) are removed; none when empty.
    type: str
    default: ""
  retention_days:
    description: Days that log events are kept; one of the values of PutRetentionPolicy.
    type: int
    default: 30
  delivery_policy:
    description: Name of the resource policy for vended logs; none when empty.
    type: str
    default: ""
  account_id:
    description: Account that delivers vended logs. Needed with O(delivery_policy).
    type: str
    default: ""
  kms_key:
    description: Alias, id or ARN of the customer key. Not needed to remove.
    type: str
    default: ""
  tags:
    description: All tags of the groups; others are removed. Holds Project.
    type: dict
    required: true
  state:
    description: Whether the log groups exist.
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
- name: Ensure the log groups exist
  aurora_restore_log_groups:
    names: [/aws/lambda/aurora-restore-snapshot-check]
    retention_days: 30
    kms_key: alias/aurora-restore
    tags: {Project: aurora-restore}
"""

RETURN = r"""
items:
  description: One entry for each item, also for those that need nothing.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the item.
      type: str
    action:
      description: What was done, or would be done in check mode; one of none, create, update, delete.
      type: str
    changes:
      description: Before and after of each attribute that changes, by name.
      type: dict
"""

# Why not community.aws.dynamodb_table: it sets neither point-in-time recovery nor a customer KMS key nor deletion
# protection, shows no diff, leaves the time to live to a module that check mode skips, and makes six calls a table.
"""Documentation and argument specification of aurora_restore_tables; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_tables
short_description: Converge DynamoDB tables with encryption, recovery and protection
description:
  - Creates, changes and removes on-demand DynamoDB tables; every declared attribute is compared and shown by C(--diff).
  - The connection is taken from the variables C(region), C(aws_profile) and C(aws_config_file).
options:
  tables:
    description: The tables. All key attributes are strings.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the table.
        type: str
        required: true
      partition_key:
        description: Attribute that is the partition key.
        type: str
        default: operation_id
      sort_key:
        description: Attribute that is the sort key; none without it.
        type: str
      ttl_attribute:
        description: Attribute that holds the second (Unix epoch) after which an item may be removed; none without it.
        type: str
  kms_key:
    description: Alias, id or ARN of the customer key that encrypts the tables.
    type: str
    required: true
  deletion_protection:
    description: Whether DynamoDB refuses to delete the tables. O(state=absent) switches it off first.
    type: bool
    default: true
  point_in_time_recovery:
    description: Whether the tables can be restored to any second of the last 35 days.
    type: bool
    default: true
  tags:
    description: All tags of the tables; others are removed.
    type: dict
    default: {}
  state:
    description: Whether the tables exist.
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
- name: Ensure the tables exist
  aurora_restore_tables:
    tables:
      - name: aurora-restore-state
      - name: aurora-restore-audit
        sort_key: timestamp
        ttl_attribute: expires_at
    kms_key: alias/aurora-restore
    tags:
      Project: aurora-restore
"""

RETURN = r"""
items:
  description: One entry a table, in the order of O(tables).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the table.
      type: str
    action:
      description: What was done, or would be done in check mode; one of none, create, update, delete.
      type: str
    changes:
      description: Before and after of each attribute that changes, by name.
      type: dict
"""

# Why not amazon.aws.kms_key: it finds a key by alias only, so that a run killed between CreateKey and CreateAlias makes a
# second key; it makes 17 API calls when nothing changes, and shows no diff.
"""Documentation and argument specification of aurora_restore_kms_key; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_kms_key
short_description: Converge the customer key of a deployment
description:
  - Creates, changes and removes one symmetric KMS key with its alias, policy, rotation and tags.
  - The key also gets the tags C(Project), the alias without its prefix, and C(Purpose=customer-key). By them a key without the alias
    is known, so that a run that was cut short is continued with the same key.
  - A key that is disabled or scheduled for deletion is made usable again.
  - The connection is taken from the variables C(region), C(aws_profile) and C(aws_config_file).
options:
  alias:
    description: Alias of the key, with its prefix C(alias/).
    type: str
    required: true
  existing_key:
    description: Id, ARN or alias of a key made elsewhere. It is checked and never changed, and no key is made.
    type: str
    default: ""
  description:
    description: What the key is for.
    type: str
    default: ""
  policy:
    description: The key's policy document.
    type: dict
    default: {}
  tags:
    description: All further tags of the key; others are removed.
    type: dict
    default: {}
  deletion_window_days:
    description: Days (7 to 30) that KMS waits before it deletes a key with O(state=absent).
    type: int
    default: 30
  state:
    description: Whether the key exists. Removal takes the alias away and schedules the deletion.
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
- name: Ensure the key exists
  aurora_restore_kms_key:
    alias: alias/aurora-restore
    description: Encrypts what the pipeline stores
    policy: "{{ lookup('file', 'key-policy.json') | from_json }}"
    tags:
      Environment: prod
"""

RETURN = r"""
answers:
  description: ARN of the key, by what later tasks would ask for.
  returned: when O(state=present)
  type: dict
items:
  description: One entry for the key; none with O(existing_key).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Alias of the key.
      type: str
    action:
      description: What was done, or would be done in check mode; one of none, create, update, delete.
      type: str
    changes:
      description: Before and after of each attribute that changes, by name.
      type: dict
"""

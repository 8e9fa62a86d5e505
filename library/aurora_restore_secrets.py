# Why not community.aws.secretsmanager_secret: it must be handed the value, which then passes through variables and task
# results, overwrites what is there unless told otherwise, and can neither generate nor check credentials.
"""Documentation and argument specification of aurora_restore_secrets; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_secrets
short_description: Converge generated database credentials in Secrets Manager
description:
  - Generates credentials once where there are none, and never overwrites or shows any.
  - An existing secret that holds no usable credentials is an error that names the secret and the fix.
  - A secret that is scheduled for deletion is restored.
  - The connection is taken from the variables C(region), C(aws_profile) and C(aws_config_file).
options:
  secrets:
    description: The secrets.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the secret.
        type: str
        required: true
      username:
        description: User name to store with a generated password. An existing secret keeps its own.
        type: str
        required: true
      description:
        description: What the secret is for.
        type: str
        default: ""
      master:
        description: Whether the password must be one that Aurora takes for a master user.
        type: bool
        default: false
  kms_key:
    description: Alias, id or ARN of the customer key that encrypts the secrets.
    type: str
    required: true
  recovery_window_days:
    description: Days (7 to 30) in which a removed secret can be restored; 0 deletes it at once.
    type: int
    default: 30
  tags:
    description: All tags of the secrets; others are removed.
    type: dict
    default: {}
  state:
    description: Whether the secrets exist.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Announces exactly what a run would do.
    support: full
  diff_mode:
    description: Before and after of every declared attribute; of credentials only whether there are any.
    support: full
author: Aurora Restore Pipeline
"""

EXAMPLES = r"""
- name: Ensure the credentials exist
  aurora_restore_secrets:
    secrets:
      - name: aurora-restore/master-credentials
        username: aurora_admin
        master: true
      - name: aurora-restore/app-credentials
        username: app
    kms_key: alias/aurora-restore
"""

RETURN = r"""
items:
  description: One entry a secret, in the order of O(secrets).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the secret.
      type: str
    action:
      description: What was done, or would be done in check mode; one of none, create, update, delete.
      type: str
    changes:
      description: Before and after of each attribute that changes, by name. Never a credential.
      type: dict
"""

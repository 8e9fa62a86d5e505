# Why not amazon.aws.iam_role and iam_policy: one role a call at four API calls each, no diff, and inline policies are a
# module of their own that fails in check mode while the role does not exist yet.
"""Documentation and argument specification of aurora_restore_iam_roles; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_iam_roles
short_description: Converge IAM roles with their trust and inline policies
description:
  - Creates, changes and removes any number of roles, read with one paginated call.
  - Policies are compared by meaning. Inline and attached policies that are not declared are removed.
  - The connection is taken from the variables C(region), C(aws_profile) and C(aws_config_file).
options:
  roles:
    description: The roles.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the role.
        type: str
        required: true
      trust_policy:
        description: Who may assume the role.
        type: dict
        default: {}
      policies:
        description: All inline policies by name. A V(Resource) equal to O(kms_key) becomes the key's ARN.
        type: dict
        default: {}
  remove_others_with_prefix:
    description: >-
      Roles whose names begin with this, that carry the Project tag of O(tags) and are not in O(roles), are removed;
      none when empty.
    type: str
    default: ""
  kms_key:
    description: Alias, id or ARN of the customer key that the policies speak of.
    type: str
    required: true
  permissions_boundary:
    description: ARN of the managed policy that bounds the roles; none when empty.
    type: str
    default: ""
  tags:
    description: All tags of the roles; others are removed.
    type: dict
    default: {}
  state:
    description: Whether the roles exist.
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
- name: Ensure the role exists
  aurora_restore_iam_roles:
    kms_key: alias/aurora-restore
    roles:
      - name: aurora-restore-notify-start-role
        trust_policy:
          Version: "2012-10-17"
          Statement:
            - Effect: Allow
              Principal: { Service: lambda.amazonaws.com }
              Action: sts:AssumeRole
        policies:
          notify-start:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: sns:Publish
                Resource: arn:aws:sns:us-east-1:123456789012:aurora-restore-notifications
"""

RETURN = r"""
items:
  description: One entry a role, in the order of O(roles).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the role.
      type: str
    action:
      description: What was done, or would be done in check mode; one of none, create, update, delete.
      type: str
    changes:
      description: Before and after of each attribute that changes, by name.
      type: dict
"""

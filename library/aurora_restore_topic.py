# Why not community.aws.sns_topic: it cannot encrypt a topic with a KMS key, makes ten API calls when nothing changes, shows
# no diff, and fails in check mode where the topic does not exist yet and has a policy.
"""Documentation and argument specification of aurora_restore_topic; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_topic
short_description: Converge an encrypted SNS topic with its policy and subscriptions
description:
  - Creates, changes and removes one topic; every declared attribute is compared and shown by C(--diff).
  - A subscription that waits for its owner's confirmation counts as made.
  - The connection is taken from the variables C(region), C(aws_profile) and C(aws_config_file).
options:
  arn:
    description: ARN of the topic, which follows from its name, region and account.
    type: str
    required: true
  existing:
    description: Whether the topic was made elsewhere. It is then only looked for, and never changed.
    type: bool
    default: false
  display_name:
    description: Sender name of e-mail notifications.
    type: str
    default: ""
  kms_key:
    description: Alias, id or ARN of the customer key that encrypts the topic.
    type: str
    required: true
  policy:
    description: The topic's policy document.
    type: dict
    default: {}
  subscriptions:
    description: Who is notified.
    type: list
    elements: dict
    default: []
    suboptions:
      protocol:
        description: How.
        type: str
        choices: [email, https, sqs]
        required: true
      endpoint:
        description: E-mail address, URL or queue ARN.
        type: str
        required: true
  purge_subscriptions:
    description: Whether confirmed subscriptions that are not in O(subscriptions) are removed.
    type: bool
    default: false
  tags:
    description: All tags of the topic; others are removed.
    type: dict
    default: {}
  state:
    description: Whether the topic exists.
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
- name: Ensure the topic exists
  aurora_restore_topic:
    arn: arn:aws:sns:us-east-1:123456789012:aurora-restore-notifications
    kms_key: alias/aurora-restore
    policy: "{{ lookup('file', 'topic-policy.json') | from_json }}"
    subscriptions:
      - protocol: email
        endpoint: team@example.com
"""

RETURN = r"""
items:
  description: One entry for the topic; none with O(existing=true).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: ARN of the topic.
      type: str
    action:
      description: What was done, or would be done in check mode; one of none, create, update, delete.
      type: str
    changes:
      description: Before and after of each attribute that changes, by name.
      type: dict
"""

# Why not amazon.aws.lambda: a function a call, no diff, always changed with a customer key, and neither reserved concurrency,
# nor asynchronous settings, nor logging, nor versions that are removed.
"""Documentation and argument specification of aurora_restore_functions; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_functions
short_description: Converge the Lambda functions of the pipeline
description:
  - One function a step, all from one package; only what changed is uploaded or configured.
  - Every change is published as a version and the alias moves to it. Functions of ours whose step is gone are
    removed.
  - The connection is taken from the variables C(region), C(aws_profile) and C(aws_config_file).
options:
  name_prefix:
    description: What every name begins with; also the value of the Project tag by which our resources are known.
    type: str
    required: true
  account_id:
    description: Account that the ARNs name.
    type: str
    required: true
  steps:
    description: Steps of the pipeline; a function is called O(name_prefix)-step.
    type: list
    elements: str
    required: true
  package:
    description: Path of the deployment package.
    type: str
    required: true
  runtime:
    description: Runtime of the functions.
    type: str
    default: python3.13
  architecture:
    description: Processor of the functions.
    type: str
    choices: [arm64, x86_64]
    default: arm64
  memory:
    description: Memory in MB.
    type: int
    default: 256
  timeout:
    description: Timeout in seconds.
    type: int
    default: 300
  overrides:
    description: Other C(memory) and C(timeout) by step.
    type: dict
    default: {}
  environment:
    description: >-
      Environment variables. VPC_ID, SUBNET_IDS, SECURITY_GROUP_IDS, KMS_KEY_ID, LAMBDA_TIMEOUT_SECONDS and
      LAMBDA_MEMORY_SIZE are added.
    type: dict
    default: {}
  vpc_id:
    description: Id of an existing VPC; empty for the one that the role vpc makes.
    type: str
    default: ""
  subnet_ids:
    description: Ids of existing subnets.
    type: list
    elements: str
    default: []
  security_group_ids:
    description: Ids of existing security groups.
    type: list
    elements: str
    default: []
  kms_key:
    description: Alias, id or ARN of the customer key. Not needed to remove.
    type: str
    default: ""
  dead_letter_target:
    description: ARN of the topic or queue that takes failed asynchronous events.
    type: str
    required: true
  log_level:
    description: Least level that a function logs.
    type: str
    default: INFO
  reserved_concurrency:
    description: Reserved concurrent executions by step.
    type: dict
    default: {}
  asynchronous:
    description: >-
      Steps that are called asynchronously. The settings of such calls are theirs alone; on other functions, where they
      mean nothing, they are neither compared nor touched.
    type: list
    elements: str
    default: []
  async_retries:
    description: How often Lambda retries an asynchronous event.
    type: int
    default: 2
  async_max_age:
    description: Seconds after which Lambda drops an asynchronous event.
    type: int
    default: 3600
  alias:
    description: Name of the alias that callers use.
    type: str
    default: live
  keep_versions:
    description: How many published versions stay; the one that the alias runs always does.
    type: int
    default: 5
  tags:
    description: All tags of the functions; others are removed.
    type: dict
    default: {}
  state:
    description: Whether the functions exist.
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
- name: Ensure the functions exist
  aurora_restore_functions:
    name_prefix: aurora-restore
    account_id: "123456789012"
    steps: [snapshot-check, acquire-lock]
    package: build/aurora_restore.zip
    kms_key: alias/aurora-restore
    dead_letter_target: arn:aws:sns:eu-west-1:123456789012:aurora-restore-notifications
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

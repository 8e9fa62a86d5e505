# Why not amazon.aws.ec2_vpc_*: eight modules and a dozen calls each, references by id that check mode cannot know on an
# empty account, default egress rules left open, and nothing that removes what is no longer declared.
"""Documentation and argument specification of aurora_restore_network; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_network
short_description: Converge the network of the functions, or check an existing one
description:
  - Makes a VPC with a private subnet in each zone, route tables, security groups with only the rules that are
    needed, and either endpoints or a NAT gateway.
  - Everything is found by its Name tag and refers to everything else by it, so that check mode shows the
    whole plan on an empty account.
  - With O(vpc_id), O(subnet_ids) and O(security_group_ids) it makes nothing and checks that they fit.
  - The connection is taken from the variables C(region), C(aws_profile) and C(aws_config_file).
options:
  name_prefix:
    description: What every name begins with; also the value of the Project tag by which our resources are known.
    type: str
    required: true
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
  cidr:
    description: Address range of the VPC.
    type: str
    required: true
  zones:
    description: >-
      Availability Zones, one private subnet in each; empty for those that the subnets are in, at first the first two
      that the account may use.
    type: list
    elements: str
    default: []
  egress:
    description: How functions reach AWS.
    type: str
    choices: [endpoints, nat]
    required: true
  interface_services:
    description: Services with an interface endpoint, by short name.
    type: list
    elements: str
    default: []
  gateway_services:
    description: Services with a gateway endpoint, by short name.
    type: list
    elements: str
    default: []
  database_ports:
    description: Ports of the Aurora clusters.
    type: list
    elements: int
    required: true
  database_cidrs:
    description: Where the Aurora clusters are; the VPC itself when empty.
    type: list
    elements: str
    default: []
  tags:
    description: All tags of the network; others are removed.
    type: dict
    default: {}
  state:
    description: Whether the network exists.
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
- name: Ensure the network exists
  aurora_restore_network:
    name_prefix: aurora-restore
    cidr: 10.42.0.0/20
    zones: [eu-west-1a, eu-west-1b]
    egress: endpoints
    interface_services: [rds, secretsmanager, sns, states, sts]
    gateway_services: [dynamodb]
    database_ports: [5432]
    tags: {Project: aurora-restore}
"""

RETURN = r"""
answers:
  description: Ids of the VPC, the private subnets and the functions' group, by what later tasks would ask for.
  returned: when O(state=present), unless the network is given
  type: dict
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

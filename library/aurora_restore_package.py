# No collection builds a zip whose bytes depend on its input alone; with any other every run uploads every function.
"""Documentation and argument specification of aurora_restore_package; the action plugin of that name runs it."""

DOCUMENTATION = r"""
---
module: aurora_restore_package
short_description: Build the Lambda deployment package reproducibly
description:
  - Builds one zip of the sources, their hash-locked pure-Python dependencies, the RDS CA bundle and the masking
    files; the same input gives the same bytes anywhere.
  - The package is a local build product and not part of what is deployed, so the task never reports a change,
    and check mode builds it too, as without it nobody could say whether the functions would change.
options:
  source:
    description: Directory of the Python package; its name becomes the zip's top directory.
    type: str
    required: true
  requirements:
    description: Path of the hash-locked requirements.
    type: str
    required: true
  ca_bundle:
    description: Path of the PEM file that becomes rds-ca-bundle.pem in the zip's root.
    type: str
    required: true
  masking:
    description: Directory whose SQL files become masking/ in the zip; it need not exist.
    type: str
    required: true
  output:
    description: Path of the zip; dependencies are kept beside it.
    type: str
    required: true
  runtime:
    description: Lambda runtime that the dependencies are chosen for.
    type: str
    default: python3.13
attributes:
  check_mode:
    description: Builds the package like a run.
    support: full
  diff_mode:
    description: The functions' diff shows the package's hash.
    support: none
author: Aurora Restore Pipeline
"""

EXAMPLES = r"""
- name: Ensure the package is built
  aurora_restore_package:
    source: lambdas/aurora_restore
    requirements: requirements-lambda.txt
    ca_bundle: roles/lambda/files/rds-global-bundle.pem
    masking: masking
    output: build/aurora_restore.zip
    runtime: python3.13
"""

RETURN = r"""
path:
  description: Path of the zip.
  returned: always
  type: str
sha256:
  description: Its SHA-256 in base64, as Lambda's CodeSha256.
  returned: always
  type: str
size:
  description: Its size in bytes.
  returned: always
  type: int
built:
  description: Whether it had to be built.
  returned: always
  type: bool
"""

"""The whole pipeline on one machine: a local AWS, a deployment, a seeded shop, a restore, and the proof that it worked.

`python -m demo up` (repeatable) and `python -m demo down`; `make demo` sets up what it needs first.
"""

"""The logic behind this repository's Ansible modules: a small convergence engine, one family per kind of resource.

`engine` compares and writes, `diff` says what differs, `clients` talks to AWS, `errors` turns failures into messages
that name their fix, `lookup` resolves names to ids, `action` is the base class of every action plugin, and `families/`
declares the resources.
"""

"""The local AWS: a pinned emulator with small mends, and Aurora clusters with real databases behind it.

Two interpreters meet here. ``python -m emulator`` and :mod:`emulator.launcher` run in the project's own virtual
environment and use the standard library only; :mod:`emulator.server`, :mod:`emulator.mends` and :mod:`emulator.aurora`
run in the emulator's (``requirements-emulator.txt``). :mod:`emulator.settings` belongs to both.
"""

"""The database servers behind the clusters: real ones, one process each."""

from __future__ import annotations

from .base import Database, Engine, EngineUnavailable
from .factory import Engines

__all__ = ["Database", "Engine", "EngineUnavailable", "Engines"]

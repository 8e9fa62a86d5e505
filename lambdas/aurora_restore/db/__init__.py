"""The restored cluster's databases: one protocol, one small implementation per engine, TLS always verified."""

from aurora_restore.db.connection import connect
from aurora_restore.db.model import Access, Database, Endpoint

__all__ = ["Access", "Database", "Endpoint", "connect"]

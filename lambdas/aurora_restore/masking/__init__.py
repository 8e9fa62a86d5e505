"""Masking: versioned SQL that takes personal data out of a restored database, and the proof that none is left."""

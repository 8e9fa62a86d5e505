"""Thin facades over the AWS APIs: one call each, typed results, typed errors."""

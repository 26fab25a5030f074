"""Indexes: each finds the k best items for representations."""

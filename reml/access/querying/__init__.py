"""Querying: from examples to queries, and queries expanded by what a first search finds."""

from reml.access.querying.query_generators import InputQuery, MentionQuery
from reml.access.querying.relevance_feedback import RM3, Rocchio

__all__ = ["RM3", "InputQuery", "MentionQuery", "Rocchio"]

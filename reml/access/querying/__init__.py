"""Querying: from examples to queries, and queries expanded by what a first search finds.

descriptions        a question that describes what it asks about
own_page            Queries that do not find the page that their example was taken from
query_generators    Query generators: from the input of an example to queries
relevance_feedback  Relevance feedback: a query is expanded by what a first search with it found
rewriting           Queries that a language model writes: the input rewritten, or parted into simpler questions
"""

from reml.access.querying.own_page import OutsideOwnPage
from reml.access.querying.query_generators import InputQuery, KiltQuery, MentionQuery
from reml.access.querying.relevance_feedback import RM3, Rocchio
from reml.access.querying.rewriting import DecomposedQuery, RewrittenQuery

__all__ = [
    "RM3",
    "DecomposedQuery",
    "InputQuery",
    "KiltQuery",
    "MentionQuery",
    "OutsideOwnPage",
    "RewrittenQuery",
    "Rocchio",
]

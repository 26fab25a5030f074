"""Presenting: what happens to the items between the search and the predictor.

max_passage  The best passage of a page stands for the page: MaxP
processors   Response processors: what happens to the items of a query between the search and the cut
rankers      Processors whose scorer is a ranker of the experiment, by its name
rerank       Reranking: what a search found, put in the order of a scorer that is too slow to search with
"""

from reml.access.presenting.max_passage import MaxPassage
from reml.access.presenting.processors import DistinctPages, First
from reml.access.presenting.rerank import Rerank

__all__ = ["DistinctPages", "First", "MaxPassage", "Rerank"]

"""Presenting: what happens to the items between the search and the predictor."""

from reml.access.presenting.max_passage import MaxPassage
from reml.access.presenting.processors import DistinctPages, First
from reml.access.presenting.rerank import Rerank

__all__ = ["DistinctPages", "First", "MaxPassage", "Rerank"]
